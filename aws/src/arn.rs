//! Names of roles.

/// How long a name of a role may be, in octets.
const MOST: usize = 2048;

/// The Amazon Resource Name of a role: `arn:aws:iam::111122223333:role/path/name`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleArn(String);

impl RoleArn {
    /// What a text that is none should have been.
    pub const EXPECTED: &str = "the ARN of a role, such as `arn:aws:iam::111122223333:role/viewer`";

    /// Checks `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().unwrap_or_default();
        let is_iam = part() == "arn" && is_partition(part()) && part() == "iam" && part().is_empty();
        let account = part();
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_role = part().strip_prefix("role/").is_some_and(is_name);
        (is_iam && is_account && is_role && text.len() <= MOST).then(|| Self(text.to_string()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_partition(text: &str) -> bool {
    let behind = text.strip_prefix("aws");
    behind.is_some_and(|rest| rest.is_empty() || (rest.starts_with('-') && rest.bytes().all(is_of_a_partition)))
}

fn is_of_a_partition(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte == b'-'
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    text.split('/').all(|part| !part.is_empty() && part.bytes().all(is_part))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_role_has_an_account_and_a_name() {
        for text in [
            "arn:aws:iam::111122223333:role/viewer",
            "arn:aws:iam::111122223333:role/teams/data/Read.Only+=,@_-",
            "arn:aws-cn:iam::111122223333:role/viewer",
            "arn:aws-us-gov:iam::111122223333:role/viewer",
        ] {
            assert_eq!(RoleArn::parse(text).map(|arn| arn.0), Some(text.to_string()));
        }
        for text in [
            "",
            "viewer",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/a//b",
            "arn:aws:iam::111122223333:role/a b",
            "arn:aws:iam::111122223333:role/a:b",
            "arn:aws:iam::111122223333:role/a&RoleArn=b",
            "arn:aws:iam::111122223333:user/viewer",
            "arn:aws:iam::11112222333:role/viewer",
            "arn:aws:iam::11112222333x:role/viewer",
            "arn:aws:iam:eu-west-1:111122223333:role/viewer",
            "arn:aws:sts::111122223333:assumed-role/viewer/alice",
            "arn:awscn:iam::111122223333:role/viewer",
            "arn:gcp:iam::111122223333:role/viewer",
            " arn:aws:iam::111122223333:role/viewer",
        ] {
            assert_eq!(RoleArn::parse(text), None, "{text}");
        }
        let long = format!("arn:aws:iam::111122223333:role/{}", "a".repeat(MOST));
        assert_eq!(RoleArn::parse(&long), None);
    }
}
