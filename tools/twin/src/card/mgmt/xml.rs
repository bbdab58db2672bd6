// SPDX-License-Identifier: GPL-2.0

//! Just enough of XML to find the tags of a document.

/// A tag.
#[derive(Debug, PartialEq, Eq)]
pub enum Tag<'a> {
    /// It begins an element; an empty one ends with it too.
    Open {
        name: &'a str,
        attributes: &'a str,
        empty: bool,
    },
    /// It ends an element.
    Close(&'a str),
}

/// What is left of a document.
pub struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Scanner(text)
    }

    /// Passes the prolog, if there is one.
    pub fn prolog(&mut self) -> bool {
        let rest = self.0.strip_prefix("<?xml ");
        match rest.and_then(|rest| rest.split_once("?>")) {
            Some((_, rest)) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// The next tag, before which is nothing but white space; none at the end.
    pub fn tag(&mut self) -> Result<Option<Tag<'a>>, String> {
        let rest = self.0.trim_start_matches([' ', '\t', '\r', '\n']);
        match rest.starts_with('<') || rest.is_empty() {
            true => self.tag_in_text(),
            false => Err("it has text where a tag has to be".to_owned()),
        }
    }

    /// The next tag, whatever text is before it; none at the end.
    pub fn tag_in_text(&mut self) -> Result<Option<Tag<'a>>, String> {
        let Some((_, rest)) = self.0.split_once('<') else {
            self.0 = "";
            return Ok(None);
        };
        let end = end_of_tag(rest).ok_or("a tag is not closed")?;
        let (tag, rest) = rest.split_at(end);
        self.0 = &rest[1..];
        if let Some(name) = tag.strip_prefix('/') {
            return named(name.trim_end()).map(|name| Some(Tag::Close(name)));
        }
        let (tag, empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let white = tag.find(|c: char| c.is_ascii_whitespace());
        let (name, attributes) = tag.split_at(white.unwrap_or(tag.len()));
        Ok(Some(Tag::Open {
            name: named(name)?,
            attributes,
            empty,
        }))
    }
}

/// Where a tag ends: at the first '>' that is not within quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn named(name: &str) -> Result<&str, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || ":-_.".contains(c);
    match !name.is_empty() && name.chars().all(sound) {
        true => Ok(name),
        false => Err("a tag has no sound name".to_owned()),
    }
}
