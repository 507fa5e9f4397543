//! The keys that seal what browsers and VMs keep for the gate, and what they seal: XChaCha20-Poly1305
//! (draft-irtf-cfrg-xchacha) under keys of HKDF-SHA-256 (RFC 5869).
//!
//! ```text
//! version (1) ‖ key id (4) ‖ nonce (24) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! Each key is for one purpose, and bound to the secret and the login: what was sealed for another purpose, another
//! client or another public URL does not open. A nonce of 24 octets may be drawn at random as often as one likes.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use oauth::Secret;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::octets::put;
use crate::random::{NoRandomness, Randomness, draw};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;
const TAG: usize = 16;
/// What a seal adds to a text.
pub(crate) const OVERHEAD: usize = 1 + KEY_ID + NONCE + TAG;
/// The longest text that opens. Whoever seals has a bound of its own below it.
pub(crate) const LONGEST_TEXT: usize = 64 << 10;

type Key = Zeroizing<[u8; 32]>;

/// The keys of each login, made from each secret; `Debug` hides them.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<[Keys]>);

/// What keys are bound to, beside the secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'b> {
    pub(crate) public_url: &'b str,
    pub(crate) login: &'b str,
    pub(crate) issuer: &'b str,
    pub(crate) client: &'b str,
}

/// What is sealed: each has keys of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// A session, in its cookies.
    Session,
    /// An entry in the data that the VMs of a proxy share.
    Shared,
    /// The `state` of an authorization request.
    State,
}

/// What was sealed. It has no `Debug`: nothing of it gets into a log.
#[derive(Eq, PartialEq)]
pub(crate) struct Opened {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// The index of the login that it was sealed for.
    pub(crate) login: usize,
    /// The index of the secret that it was sealed with: from 1 on it should be sealed anew.
    pub(crate) secret: usize,
}

/// The keys from one secret for one login.
struct Keys {
    login: usize,
    secret: usize,
    /// Says which keys to try; it need not be unique.
    id: [u8; KEY_ID],
    /// A digest of what the keys are bound to, beside the secret.
    binding: [u8; 8],
    session: Key,
    shared: Key,
    state: Key,
    derivation: Key,
}

impl Keyring {
    /// The keys of `logins`, in their order, from `secrets`: the first seals, all open.
    pub(crate) fn new(secrets: &[Secret], logins: &[Binding<'_>]) -> Self {
        let keys = secrets.iter().enumerate().flat_map(|(index, secret)| {
            let secret = Hkdf::new(None, secret.reveal().as_bytes());
            logins.iter().enumerate().map(move |(login, binding)| Keys::new(&secret, index, login, binding))
        });
        Self(keys.collect())
    }

    /// Seals `text` with the first secret for the login of that index, so that it opens with the same `associated`
    /// octets alone. For a login that is not there it fails as it does without randomness.
    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        login: usize,
        associated: &[u8],
        text: &[u8],
        random: &dyn Randomness,
    ) -> Result<Vec<u8>, NoRandomness> {
        let keys = self.keys(login, 0).ok_or(NoRandomness)?;
        let nonce = draw::<NONCE>(random)?;
        let mut sealed = Vec::with_capacity(OVERHEAD.saturating_add(text.len()));
        sealed.push(VERSION);
        sealed.extend(keys.id);
        sealed.extend(nonce);
        let mut buffer = Zeroizing::new(text.to_vec());
        let tag = keys.encrypt(purpose, associated, &nonce, &mut buffer).ok_or(NoRandomness)?;
        sealed.extend(buffer.iter());
        sealed.extend(tag);
        Ok(sealed)
    }

    /// What was sealed for this purpose with these `associated` octets; `None` for whatever else this is.
    pub(crate) fn open(&self, purpose: Purpose, associated: &[u8], sealed: &[u8]) -> Option<Opened> {
        let (&version, rest) = sealed.split_first()?;
        let (id, rest) = rest.split_first_chunk::<KEY_ID>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
        if version != VERSION || ciphertext.len() > LONGEST_TEXT {
            return None;
        }
        self.0.iter().filter(|keys| keys.id == *id).find_map(|keys| {
            let mut text = Zeroizing::new(ciphertext.to_vec());
            keys.decrypt(purpose, associated, nonce, &mut text, tag)?;
            Some(Opened { text, login: keys.login, secret: keys.secret })
        })
    }

    /// 32 octets that only this keyring can make, of `parts`, which may be told apart; `label` is what they are for.
    /// `None` for a login or a secret that is not there.
    pub(crate) fn derive(
        &self,
        login: usize,
        secret: usize,
        label: &str,
        parts: &[&[u8]],
    ) -> Option<Zeroizing<[u8; 32]>> {
        let keys = self.keys(login, secret)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&*keys.derivation).ok()?;
        mac.update(&unambiguous(&[label.as_bytes()]));
        mac.update(&unambiguous(parts));
        Some(Zeroizing::new(mac.finalize().into_bytes().into()))
    }

    /// A digest of what the keys of a login are bound to: the same for all secrets, and no secret itself.
    pub(crate) fn binding(&self, login: usize) -> Option<[u8; 8]> {
        Some(self.keys(login, 0)?.binding)
    }

    fn keys(&self, login: usize, secret: usize) -> Option<&Keys> {
        self.0.iter().find(|keys| (keys.login, keys.secret) == (login, secret))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keyring({} keys)", self.0.len())
    }
}

impl Keys {
    fn new(root: &Hkdf<Sha256>, secret: usize, login: usize, binding: &Binding<'_>) -> Self {
        let id = expand(root, "key id", binding);
        Self {
            login,
            secret,
            id: id.first_chunk().copied().unwrap_or_default(),
            binding: Sha256::digest(info("binding", binding)).first_chunk().copied().unwrap_or_default(),
            session: expand(root, Purpose::Session.name(), binding),
            shared: expand(root, Purpose::Shared.name(), binding),
            state: expand(root, Purpose::State.name(), binding),
            derivation: expand(root, "derivation", binding),
        }
    }

    /// Encrypts in place; `None` only for a text of 256 GiB (RFC 8439 §2.8).
    fn encrypt(&self, purpose: Purpose, associated: &[u8], nonce: &[u8; NONCE], text: &mut [u8]) -> Option<[u8; TAG]> {
        let associated = self.associated(purpose, associated);
        let tag = self.cipher(purpose).encrypt_inout_detached(&XNonce::from(*nonce), &associated, text.into());
        tag.ok().map(Into::into)
    }

    /// Decrypts in place, if all of it is as it was sealed.
    fn decrypt(
        &self,
        purpose: Purpose,
        associated: &[u8],
        nonce: &[u8; NONCE],
        text: &mut [u8],
        tag: &[u8; TAG],
    ) -> Option<()> {
        let associated = self.associated(purpose, associated);
        let cipher = self.cipher(purpose);
        cipher.decrypt_inout_detached(&XNonce::from(*nonce), &associated, text.into(), &Tag::from(*tag)).ok()
    }

    fn cipher(&self, purpose: Purpose) -> XChaCha20Poly1305 {
        let key = match purpose {
            Purpose::Session => &self.session,
            Purpose::Shared => &self.shared,
            Purpose::State => &self.state,
        };
        XChaCha20Poly1305::new((&**key).into())
    }

    fn associated(&self, purpose: Purpose, associated: &[u8]) -> Vec<u8> {
        unambiguous(&[&[VERSION], purpose.name().as_bytes(), &self.id, associated])
    }
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Shared => "shared",
            Self::State => "state",
        }
    }
}

#[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8,160 octets (RFC 5869 §2.3)")]
fn expand(secret: &Hkdf<Sha256>, purpose: &str, binding: &Binding<'_>) -> Key {
    let mut key = Zeroizing::new([0; 32]);
    secret.expand(&info(purpose, binding), &mut *key).expect("gives 32 octets");
    key
}

fn info(purpose: &str, binding: &Binding<'_>) -> Vec<u8> {
    let Binding { public_url, login, issuer, client } = binding;
    unambiguous(&["jotgate", purpose, public_url, login, issuer, client].map(str::as_bytes))
}

fn unambiguous(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(Vec::new(), |mut octets, part| {
        put(&mut octets, part);
        octets
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::testing::{Counter, NoGenerator};
    use jose::hex;

    const MAIN: Binding<'_> = Binding {
        public_url: "https://dash.example.com",
        login: "main",
        issuer: "https://idp.example.com",
        client: "dashboard",
    };
    const OTHER: Binding<'_> = Binding { login: "other", ..MAIN };

    fn keyring(secrets: &[&str], logins: &[Binding<'_>]) -> Keyring {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(format!("{text:-<32}"))).collect();
        Keyring::new(&secrets, logins)
    }

    fn seal(keyring: &Keyring, login: usize) -> Vec<u8> {
        keyring.seal(Purpose::Session, login, b"with", b"text", &Counter::default()).expect("draws")
    }

    fn open(keyring: &Keyring, sealed: &[u8]) -> Option<(Vec<u8>, usize, usize)> {
        let opened = keyring.open(Purpose::Session, b"with", sealed)?;
        Some((opened.text.to_vec(), opened.login, opened.secret))
    }

    #[test]
    fn what_is_sealed_opens_for_its_login() {
        let keyring = keyring(&["a"], &[MAIN, OTHER]);
        for login in [0, 1] {
            let sealed = seal(&keyring, login);
            assert_eq!(sealed.len(), "text".len() + OVERHEAD);
            assert_eq!(open(&keyring, &sealed), Some((b"text".to_vec(), login, 0)));
        }
    }

    #[test]
    fn nothing_that_was_changed_or_cut_opens() {
        let keyring = keyring(&["a"], &[MAIN]);
        let good = seal(&keyring, 0);
        for index in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                assert_eq!(open(&keyring, &bad), None, "bit {bit} of octet {index}");
            }
            assert_eq!(open(&keyring, &good[..index]), None, "cut at {index}");
            assert_eq!(open(&keyring, &good[index + 1..]), None, "cut to {index}");
        }
        assert_eq!(open(&keyring, &[&good[..], b"\0"].concat()), None);
    }

    #[test]
    fn a_seal_is_for_one_purpose_and_its_associated_octets() {
        let keyring = keyring(&["a"], &[MAIN]);
        let purposes = [Purpose::Session, Purpose::Shared, Purpose::State];
        for sealed_for in purposes {
            let sealed = keyring.seal(sealed_for, 0, b"with", b"text", &Counter::default()).expect("draws");
            for purpose in purposes {
                assert_eq!(keyring.open(purpose, b"with", &sealed).is_some(), purpose == sealed_for);
                assert!(keyring.open(purpose, b"without", &sealed).is_none());
            }
        }
    }

    #[test]
    fn a_seal_is_bound_to_all_that_names_a_login() {
        let sealed = seal(&keyring(&["a"], &[MAIN]), 0);
        for binding in [
            OTHER,
            Binding { public_url: "https://other.example.com", ..MAIN },
            Binding { issuer: "https://other.example.com", ..MAIN },
            Binding { client: "other", ..MAIN },
            Binding { login: "mainh", issuer: "ttps://idp.example.com", ..MAIN },
        ] {
            assert_eq!(open(&keyring(&["a"], &[binding]), &sealed), None, "{binding:?}");
        }
        assert_eq!(open(&keyring(&["b"], &[MAIN]), &sealed), None, "another secret");
        let moved = keyring(&["a"], &[OTHER, MAIN]);
        assert_eq!(open(&moved, &sealed), Some((b"text".to_vec(), 1, 0)), "its index in the configuration is not");
    }

    #[test]
    fn a_secret_rotates_in_three_steps() {
        let [first, second, third, last] =
            [&["a"][..], &["a", "b"], &["b", "a"], &["b"]].map(|secrets| keyring(secrets, &[MAIN]));
        let (old, new) = (seal(&first, 0), seal(&third, 0));
        assert_eq!(seal(&second, 0), old, "the first secret seals");
        let secret = |keyring, sealed| open(keyring, sealed).map(|(.., secret)| secret);
        assert_eq!(
            [&first, &second, &third, &last].map(|keyring| secret(keyring, &old)),
            [Some(0), Some(0), Some(1), None]
        );
        assert_eq!(
            [&first, &second, &third, &last].map(|keyring| secret(keyring, &new)),
            [None, Some(1), Some(0), Some(0)]
        );
    }

    #[test]
    fn keys_with_one_id_are_all_tried() {
        let mut keyring = keyring(&["a", "b"], &[MAIN]);
        let keys = Arc::get_mut(&mut keyring.0).expect("is not shared");
        keys[0].id = keys[1].id;
        let old = Keyring(vec![Keys { secret: 0, ..copy(&keys[1]) }].into());
        assert_eq!(open(&keyring, &seal(&old, 0)), Some((b"text".to_vec(), 0, 1)));
        assert_eq!(open(&keyring, &seal(&keyring, 0)), Some((b"text".to_vec(), 0, 0)));
    }

    fn copy(keys: &Keys) -> Keys {
        let Keys { login, secret, id, binding, session, shared, state, derivation } = keys;
        let (session, shared, state) = (session.clone(), shared.clone(), state.clone());
        Keys {
            login: *login,
            secret: *secret,
            id: *id,
            binding: *binding,
            session,
            shared,
            state,
            derivation: derivation.clone(),
        }
    }

    #[test]
    fn texts_are_bounded() {
        let keyring = keyring(&["a"], &[MAIN]);
        for (octets, opens) in [(0, true), (LONGEST_TEXT, true), (LONGEST_TEXT + 1, false)] {
            let sealed = keyring.seal(Purpose::Shared, 0, b"", &vec![7; octets], &Counter::default()).expect("draws");
            assert_eq!(keyring.open(Purpose::Shared, b"", &sealed).is_some(), opens, "{octets}");
        }
    }

    #[test]
    fn nothing_is_sealed_without_randomness_or_for_a_login_that_is_not_there() {
        let keyring = keyring(&["a"], &[MAIN]);
        assert_eq!(keyring.seal(Purpose::State, 0, b"", b"", &NoGenerator), Err(NoRandomness));
        assert_eq!(keyring.seal(Purpose::State, 1, b"", b"", &Counter::default()), Err(NoRandomness));
        assert!(keyring.derive(1, 0, "label", &[]).is_none() && keyring.derive(0, 1, "label", &[]).is_none());
    }

    #[test]
    fn what_is_derived_depends_on_everything() {
        let keyring = keyring(&["a", "b"], &[MAIN, OTHER]);
        let derived = [
            keyring.derive(0, 0, "label", &[b"one", b"two"]),
            keyring.derive(1, 0, "label", &[b"one", b"two"]),
            keyring.derive(0, 1, "label", &[b"one", b"two"]),
            keyring.derive(0, 0, "other", &[b"one", b"two"]),
            keyring.derive(0, 0, "label", &[b"on", b"etwo"]),
            keyring.derive(0, 0, "label", &[b"onetwo"]),
            keyring.derive(0, 0, "label", &[]),
        ];
        for (index, one) in derived.iter().enumerate() {
            assert!(one.is_some() && derived.iter().skip(index + 1).all(|other| other != one), "{index}");
        }
        assert_eq!(keyring.derive(0, 0, "label", &[b"one", b"two"]), derived[0]);
    }

    /// Cookies outlive the gate that wrote them: a change of any label or length needs another version. The octets are
    /// those of a second implementation, in Python.
    #[test]
    fn the_format_stays_as_it_is() {
        let keyring = keyring(&["a"], &[MAIN]);
        assert_eq!(
            hex::encode(&seal(&keyring, 0)),
            "011f7063360100000000000000010000000000000001000000000000006fe069652b401d0b0056f042bfa2c986d01f2c1b"
        );
        assert_eq!(
            hex::encode(&*keyring.derive(0, 0, "label", &[b"part"]).expect("is there")),
            "09ce9d417b3340326cd5bd44c62371ede107711d23527d62fd69945a32187455"
        );
    }

    #[test]
    fn keys_are_hidden_from_debug() {
        assert_eq!(format!("{:?}", keyring(&["a", "b"], &[MAIN])), "Keyring(2 keys)");
    }
}
