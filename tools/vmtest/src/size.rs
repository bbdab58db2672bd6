// SPDX-License-Identifier: GPL-2.0

//! Sizes as people write them: `512M`, `1G`, `16T`.

/// Reads a size in bytes. The suffixes K, M, G and T are powers of 1024.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size: write 512M, 1G, 16T or a number of bytes");
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        Some(b'T' | b't') => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn suffixes_are_powers_of_1024() {
        assert_eq!(parse("4096"), Ok(4096));
        assert_eq!(parse("8k"), Ok(8 << 10));
        assert_eq!(parse("512M"), Ok(512 << 20));
        assert_eq!(parse("1G"), Ok(1 << 30));
        assert_eq!(parse("16T"), Ok(16 << 40));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "G", "-1G", "1.5G", "1GB", "disk.img", "+1", "99999999T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
