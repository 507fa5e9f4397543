//! Regions, and where their STS is.

/// A region: `eu-west-1`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Region(String);

/// The domains of partitions whose regions have these prefixes.
const DOMAINS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
];

impl Region {
    /// What a text that is none should have been.
    pub const EXPECTED: &str = "a region of AWS, such as `eu-west-1`";

    /// Checks the form of `text`: words and a number. Which regions there are is AWS's business.
    pub fn parse(text: &str) -> Option<Self> {
        let is_word = |word: &str| (2..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_number = |word: &str| (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_region = text.rsplit_once('-').is_some_and(|(words, number)| {
            is_number(number) && (2..=3).contains(&words.split('-').count()) && words.split('-').all(is_word)
        });
        is_region.then(|| Self(text.to_string()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host of its STS.
    pub fn sts_host(&self) -> String {
        let own = DOMAINS.iter().find(|(prefix, _)| self.0.starts_with(prefix));
        ["sts.", &self.0, ".", own.map_or("amazonaws.com", |(_, domain)| domain)].concat()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn sts_is_in_the_domain_of_the_partition() {
        for (region, host) in [
            ("eu-west-1", "sts.eu-west-1.amazonaws.com"),
            ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"),
            ("ap-southeast-10", "sts.ap-southeast-10.amazonaws.com"),
        ] {
            assert_eq!(Region::parse(region).map(|region| region.sts_host()), Some(host.to_string()));
        }
    }

    #[test]
    fn other_texts_are_no_regions() {
        for text in [
            "",
            "eu",
            "eu-west",
            "eu-west-1a",
            "EU-west-1",
            "eu-west-1.evil.example",
            "eu_west_1",
            "-eu-west-1",
            "eu--1",
            "eu-west-1/",
            "a-b-1",
            "eu-1",
            "eu-west-",
            "eu-west-123",
            "eu-we st-1",
            "\u{e9}u-west-1",
            "a-b-c-d-1",
        ] {
            assert_eq!(Region::parse(text), None, "{text}");
        }
    }
}
