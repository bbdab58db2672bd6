// SPDX-License-Identifier: GPL-2.0

//! The hashes of a tree of files, as `sha256sum` prints them.

use std::collections::BTreeMap;

const DIGITS: usize = 64;

/// Each file's name, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums(BTreeMap<String, String>);

impl Sums {
    /// Reads what `sha256sum` has printed; no file at all is an error, too.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sums = BTreeMap::new();
        for line in text.lines() {
            match line.split_once("  ") {
                Some((hash, name)) if is_hash(hash) => {
                    sums.insert(name.to_owned(), hash.to_owned());
                }
                _ => return Err(format!("this is no line of sha256sum: {line:?}")),
            }
        }
        if sums.is_empty() {
            return Err("there are no files".into());
        }
        Ok(Self(sums))
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether later ones are the same: the same files, and the same hashes.
    pub fn check(&self, later: &Self) -> Result<(), String> {
        let wrong: Vec<&str> = self
            .0
            .iter()
            .filter(|(name, hash)| later.0.get(*name) != Some(hash))
            .map(|(name, _)| name.as_str())
            .collect();
        if let Some(first) = wrong.first() {
            let how = match later.0.contains_key(*first) {
                true => "has another hash",
                false => "is missing",
            };
            let (count, all) = (wrong.len(), self.count());
            return Err(format!(
                "{count} of {all} files are not what they were; {first} {how}"
            ));
        }
        match later.0.keys().find(|name| !self.0.contains_key(*name)) {
            Some(name) => Err(format!("{name} was not there before")),
            None => Ok(()),
        }
    }
}

fn is_hash(word: &str) -> bool {
    word.len() == DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{DIGITS, Sums};

    /// A line for each file; a hash is one digit, repeated.
    fn sums(files: &[(char, &str)]) -> Sums {
        let lines = files
            .iter()
            .map(|(digit, name)| format!("{}  {name}\n", digit.to_string().repeat(DIGITS)));
        Sums::parse(&lines.collect::<String>()).unwrap()
    }

    #[test]
    fn the_same_files_pass() {
        let before = sums(&[('1', "a"), ('2', "with  blanks")]);
        assert_eq!(before.count(), 2);
        assert_eq!(before.check(&before.clone()), Ok(()));
    }

    #[test]
    fn a_wrong_hash_is_refused() {
        let before = sums(&[('1', "a"), ('2', "b"), ('3', "c")]);
        let why = before.check(&sums(&[('1', "a"), ('0', "b"), ('3', "c")]));
        let why = why.unwrap_err();
        assert!(why.contains("1 of 3"), "{why}");
        assert!(why.contains("b has another hash"), "{why}");
    }

    #[test]
    fn a_file_too_few_or_too_many_is_refused() {
        let (one, two) = (sums(&[('1', "a")]), sums(&[('1', "a"), ('2', "b")]));
        assert!(two.check(&one).unwrap_err().contains("b is missing"));
        assert!(one.check(&two).unwrap_err().contains("b was not there"));
    }

    #[test]
    fn only_whole_lines_are_taken() {
        assert!(Sums::parse("").is_err());
        assert!(Sums::parse("sha256sum: a: No such file\n").is_err());
        assert!(Sums::parse(&format!("{}  a\n", "1".repeat(DIGITS - 1))).is_err());
        assert!(Sums::parse(&format!("{}  a\n", "x".repeat(DIGITS))).is_err());
    }
}
