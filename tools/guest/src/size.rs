// SPDX-License-Identifier: GPL-2.0

//! Sizes on the command line: `512`, `64K`, `2M`, `1G`.

/// Reads a size in bytes.
pub fn parse(text: &str) -> Result<usize, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 10),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: usize = digits
        .parse()
        .map_err(|_| format!("{text:?} is not a size"))?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| format!("{text:?} is too large"))
}

/// Writes a size as short as it can be read back.
pub fn show(bytes: usize) -> String {
    match bytes {
        0 => "0".into(),
        _ if bytes % (1 << 30) == 0 => format!("{}G", bytes >> 30),
        _ if bytes % (1 << 20) == 0 => format!("{}M", bytes >> 20),
        _ if bytes % (1 << 10) == 0 => format!("{}K", bytes >> 10),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, show};

    #[test]
    fn what_is_shown_can_be_read() {
        for bytes in [0, 1, 512, 1 << 10, 768 << 10, 10 << 20, 1 << 30, 1_049_088] {
            assert_eq!(parse(&show(bytes)), Ok(bytes));
        }
        assert!(parse("1X").is_err() && parse("").is_err() && parse("K").is_err());
    }
}
