// SPDX-License-Identifier: GPL-2.0

//! The XML documents: an envelope, a body, one element, whose name is the verb.
//!
//! Nothing is known of what most verbs answer, so the card has a fault for all but one.

use super::xml::{Scanner, Tag};

/// The verb that asks for the version; its envelope has no namespaces.
pub const VERSION_VERB: &str = "pshim:getVersion";

/// The namespaces that all other envelopes have.
const NAMESPACES: [&str; 5] = [
    "xmlns:SOAP-ENV",
    "xmlns:SOAP-ENC",
    "xmlns:xsi",
    "xmlns:xsd",
    "xmlns:tsal",
];
const ENVELOPE: &str = "SOAP-ENV:Envelope";
const BODY: &str = "SOAP-ENV:Body";

/// The verb of a document, or what is wrong with it.
pub fn verb(document: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(document).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut scanner = Scanner::new(text);
    let prolog = scanner.prolog();
    let attributes = opened(&mut scanner, ENVELOPE)?;
    opened(&mut scanner, BODY)?;
    let (verb, empty) = match scanner.tag()? {
        Some(Tag::Open { name, empty, .. }) => (name, empty),
        _ => return Err("its body is empty".to_owned()),
    };
    if !empty {
        rest_of(&mut scanner, verb)?;
    }
    closed(&mut scanner, BODY)?;
    closed(&mut scanner, ENVELOPE)?;
    if scanner.tag()?.is_some() {
        return Err("something follows its envelope".to_owned());
    }
    if verb == VERSION_VERB {
        return match attributes.contains("xmlns") {
            true => Err(format!("{VERSION_VERB} has namespaces")),
            false => Ok(verb),
        };
    }
    if !prolog {
        return Err("it has no prolog".to_owned());
    }
    match NAMESPACES.iter().find(|name| !attributes.contains(*name)) {
        Some(name) => Err(format!("its envelope has no {name}")),
        None => Ok(verb),
    }
}

/// The next tag opens this element; its attributes.
fn opened<'a>(scanner: &mut Scanner<'a>, wanted: &str) -> Result<&'a str, String> {
    match scanner.tag()? {
        Some(Tag::Open {
            name,
            attributes,
            empty: false,
        }) if name == wanted => Ok(attributes),
        _ => Err(format!("it has no {wanted} where one has to be")),
    }
}

fn closed(scanner: &mut Scanner<'_>, wanted: &str) -> Result<(), String> {
    match scanner.tag()? {
        Some(Tag::Close(name)) if name == wanted => Ok(()),
        _ => Err(format!("its {wanted} has more than one element, or no end")),
    }
}

/// Reads up to the end of an element, whatever is in it.
fn rest_of<'a>(scanner: &mut Scanner<'a>, element: &'a str) -> Result<(), String> {
    let mut open = vec![element];
    while let Some(last) = open.pop() {
        match scanner.tag_in_text()? {
            Some(Tag::Open { name, empty, .. }) => {
                open.push(last);
                if !empty {
                    open.push(name);
                }
            }
            Some(Tag::Close(name)) if name == last => {}
            _ => return Err(format!("its element {last} has no end")),
        }
    }
    Ok(())
}

/// The fault that answers a verb, or a document that has none.
pub fn fault(code: &str, reason: &str) -> Vec<u8> {
    let plain = |c: &char| c.is_ascii_alphanumeric() || " :.-_,'".contains(*c);
    let reason: String = reason.chars().filter(plain).take(200).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <SOAP-ENV:Envelope\
         \x20xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"\
         \x20xmlns:SOAP-ENC=\"http://schemas.xmlsoap.org/soap/encoding/\"\
         \x20xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\
         \x20xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"\
         \x20xmlns:tsal=\"http://tempuri.org/tsal.xsd\">\
         <SOAP-ENV:Body><SOAP-ENV:Fault>\
         <faultcode>SOAP-ENV:{code}</faultcode><faultstring>{reason}</faultstring>\
         </SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACED: &str = "<?xml version='1.0'?><SOAP-ENV:Envelope xmlns:SOAP-ENV='e' \
        xmlns:SOAP-ENC='c' xmlns:xsi='i' xmlns:xsd='d' xmlns:tsal='t'><SOAP-ENV:Body>";
    const END: &str = "</SOAP-ENV:Body></SOAP-ENV:Envelope>";
    const PLAIN: &str = "<SOAP-ENV:Envelope><SOAP-ENV:Body>";

    #[test]
    fn verbs() {
        let of = |text: String| verb(text.as_bytes()).map(str::to_owned);
        for element in [
            "<tsal:getInfo/>",
            "<tsal:getInfo></tsal:getInfo>",
            "<tsal:getInfo><a b='>'>x<c/>y</a></tsal:getInfo>",
        ] {
            let text = format!("{NAMESPACED}{element}{END}\n");
            assert_eq!(of(text).as_deref(), Ok("tsal:getInfo"));
        }
        let text = format!("{PLAIN}<pshim:getVersion/>{END}");
        assert_eq!(of(text.clone()).as_deref(), Ok(VERSION_VERB));
        let text = format!("<?xml version='1.0'?>\n{text}");
        assert_eq!(of(text).as_deref(), Ok(VERSION_VERB));
    }

    #[test]
    fn malformed() {
        let bad = |text: String| verb(text.as_bytes()).unwrap_err();
        assert!(bad(String::new()).contains("Envelope"));
        assert!(bad(format!("{PLAIN}{END}")).contains("empty"));
        assert!(bad(format!("{PLAIN}<tsal:getInfo/>{END}")).contains("prolog"));
        assert!(bad(format!("{NAMESPACED}<a/><b/>{END}")).contains("more than one"));
        assert!(bad(format!("{NAMESPACED}<a><b></a></b>{END}")).contains("no end"));
        assert!(bad(format!("{NAMESPACED}<a>{END}")).contains("no end"));
        assert!(bad(format!("{NAMESPACED}<a/>{END}\0")).contains("text"));
        assert!(bad(format!("{NAMESPACED}<a/>{END}<a/>")).contains("follows"));
        assert!(bad(format!("{NAMESPACED}<pshim:getVersion/>{END}")).contains("namespaces"));
        let four = NAMESPACED.replace("xmlns:xsd='d'", "");
        assert!(bad(format!("{four}<a/>{END}")).contains("xmlns:xsd"));
        assert!(bad(format!("{PLAIN}<a")).contains("not closed"));
        assert!(verb(b"\xff\xfe").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn a_fault_is_a_document() {
        let fault = fault("Client", "no <verb> & so on");
        assert_eq!(verb(&fault), Ok("SOAP-ENV:Fault"));
        assert!(String::from_utf8(fault).unwrap().contains("no verb  so on"));
    }
}
