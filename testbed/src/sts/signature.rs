//! Signatures of presigned requests (AWS Signature Version 4), as the service checks them.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// What is signed of a request.
#[derive(Debug)]
pub(super) struct Signed<'r> {
    /// Parameters as they stand in the URL, without the signature.
    pub(super) parameters: Vec<&'r str>,
    /// Header lines that are signed: names in lower case, in order.
    pub(super) headers: Vec<(&'r str, &'r str)>,
    /// `X-Amz-Date`.
    pub(super) date: &'r str,
    /// The day, region, service and `aws4_request`.
    pub(super) scope: &'r str,
}

impl Signed<'_> {
    /// The signature with that secret, in hexadecimal digits.
    pub(super) fn signature(&self, secret: &str) -> String {
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in self.scope.split('/') {
            key = hmac(&key, part);
        }
        let request = hexadecimal(&Sha256::digest(self.canonical_request()));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{request}", self.date, self.scope);
        hexadecimal(&hmac(&key, &text))
    }

    fn canonical_request(&self) -> String {
        let mut parameters = self.parameters.clone();
        parameters.sort_unstable();
        let lines: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        let nothing = hexadecimal(&Sha256::digest(b""));
        format!("GET\n/\n{}\n{}\n{}\n{nothing}", parameters.join("&"), lines.concat(), names.join(";"))
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
