//! What a session holds, and the octets that are sealed of it.
//!
//! ```text
//! version (1) ‖ id (16) ‖ generation (4) ‖ flow (16) ‖ created, last seen, claims fetched (8 each)
//!   ‖ digest of the claims' names (8) ‖ which of what follows is there (1)
//!   ‖ claims ‖ fresh until (8)? ‖ refresh token? ‖ ID token? ‖ access token? ‖ names from userinfo? ‖ role?
//! ```
//!
//! The login is not among them: the key that opens a session is for one.

use std::fmt;

use jose::Hash;
use oauth::Secret;
use zeroize::Zeroizing;

use crate::heap;
use crate::octets::{Fields, put, put_instant};
use crate::time::Timestamp;
use jose::hex;

const VERSION: u8 = 1;

/// What a browser keeps of a login. `Debug` hides it. Instants are whole seconds: what is finer is not kept.
#[derive(Clone)]
pub(crate) struct Session {
    /// Made anew by each login, and the same in all that follow from it.
    pub(crate) id: [u8; 16],
    /// How many refreshes it has seen.
    pub(crate) generation: u32,
    /// The index of its login.
    pub(crate) login: usize,
    /// The id of the attempt that led to it.
    pub(crate) flow: [u8; 16],
    /// When the user logged in.
    pub(crate) created: Timestamp,
    /// When it was last used, or not much before.
    pub(crate) last_seen: Timestamp,
    /// When its claims were fetched.
    pub(crate) claims_at: Timestamp,
    /// The `exp` of its claims.
    pub(crate) fresh_until: Option<Timestamp>,
    /// The claims that are kept: a JSON object.
    pub(crate) claims: String,
    /// The digest of the names that were kept: another list needs other claims.
    pub(crate) claims_digest: [u8; 8],
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    pub(crate) access_token: Option<Secret>,
    /// The names of the claims that came from the userinfo endpoint: a JSON list. A refresh without an ID token brings
    /// those anew, and no others.
    pub(crate) from_userinfo: Option<String>,
    /// The name of the role that its user chose.
    pub(crate) role: Option<String>,
}

impl Session {
    /// What it takes up in memory beside itself, in bytes, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let texts = self.texts().into_iter().flatten().map(|text| heap::allocation(text.len()));
        texts.fold(heap::allocation(self.claims.len()), usize::saturating_add)
    }

    /// What is sealed of it.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let texts = self.texts();
        let length: usize = texts.iter().flatten().map(|text| text.len() + 4).sum();
        let mut octets = Zeroizing::new(Vec::with_capacity(96 + self.claims.len() + length));
        octets.push(VERSION);
        octets.extend(self.id);
        octets.extend(self.generation.to_be_bytes());
        octets.extend(self.flow);
        for instant in [self.created, self.last_seen, self.claims_at] {
            put_instant(&mut octets, instant);
        }
        octets.extend(self.claims_digest);
        let is_there = [self.fresh_until.is_some()].into_iter().chain(texts.iter().map(Option::is_some));
        octets.push(is_there.enumerate().fold(0, |flags, (index, is_there)| flags | u8::from(is_there) << index));
        put(&mut octets, self.claims.as_bytes());
        if let Some(instant) = self.fresh_until {
            put_instant(&mut octets, instant);
        }
        for text in texts.into_iter().flatten() {
            put(&mut octets, text.as_bytes());
        }
        octets
    }

    /// The session of `login` that these octets are; `None` if they are of another version, or of none.
    pub(crate) fn decode(octets: &[u8], login: usize) -> Option<Self> {
        let mut fields = Fields::new(octets);
        let [VERSION] = fields.array()? else { return None };
        let id = fields.array()?;
        let generation = u32::from_be_bytes(fields.array()?);
        let flow = fields.array()?;
        let (created, last_seen, claims_at) = (fields.instant()?, fields.instant()?, fields.instant()?);
        let claims_digest = fields.array()?;
        let [mut flags] = fields.array()?;
        let mut is_there = || {
            let is_there = flags & 1 == 1;
            flags >>= 1;
            is_there
        };
        let claims = fields.text()?.to_string();
        let fresh_until = if is_there() { Some(fields.instant()?) } else { None };
        let mut text = || if is_there() { fields.text().map(Some) } else { Some(None) };
        let (refresh_token, id_token, access_token) = (text()?, text()?, text()?);
        let (from_userinfo, role) = (text()?.map(String::from), text()?.map(String::from));
        let [refresh_token, id_token, access_token] =
            [refresh_token, id_token, access_token].map(|text| text.map(Secret::new));
        let session = Self {
            id,
            generation,
            login,
            flow,
            created,
            last_seen,
            claims_at,
            fresh_until,
            claims,
            claims_digest,
            refresh_token,
            id_token,
            access_token,
            from_userinfo,
            role,
        };
        (fields.is_empty() && flags == 0).then_some(session)
    }

    /// What logs call it: from this nobody finds the id.
    pub(crate) fn log_id(&self) -> String {
        let hash = Hash::Sha256.digest(&[b"jotgate session", &self.id]);
        hex::encode(hash.get(..8).unwrap_or_default())
    }

    fn texts(&self) -> [Option<&str>; 5] {
        let tokens = [&self.refresh_token, &self.id_token, &self.access_token];
        let [refresh_token, id_token, access_token] = tokens.map(|token| token.as_ref().map(Secret::reveal));
        [refresh_token, id_token, access_token, self.from_userinfo.as_deref(), self.role.as_deref()]
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Session({}, generation {})", self.log_id(), self.generation)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// A session of the second login with all that one may hold.
    pub(in crate::sessions) fn session() -> Session {
        Session {
            id: [1; 16],
            generation: 2,
            login: 1,
            flow: [3; 16],
            created: Timestamp::from_secs(1_800_000_000),
            last_seen: Timestamp::from_secs(1_800_000_100),
            claims_at: Timestamp::from_secs(1_800_000_060),
            fresh_until: Some(Timestamp::from_secs(1_800_000_360)),
            claims: String::from(r#"{"sub":"alice"}"#),
            claims_digest: [4; 8],
            refresh_token: Some(Secret::new("refresh")),
            id_token: Some(Secret::new("id")),
            access_token: Some(Secret::new("access")),
            from_userinfo: Some(String::from(r#"["email"]"#)),
            role: Some(String::from("viewer")),
        }
    }

    fn empty() -> Session {
        Session {
            generation: 0,
            fresh_until: None,
            claims: String::new(),
            refresh_token: None,
            id_token: None,
            access_token: None,
            from_userinfo: None,
            role: None,
            ..session()
        }
    }

    #[test]
    fn what_is_encoded_can_be_decoded() {
        let read = Session::decode(&session().encode(), 1).expect("is a session");
        let reveal = |token: Option<Secret>| token.map(|token| token.reveal().to_string());
        assert_eq!((read.id, read.generation, read.login, read.flow), ([1; 16], 2, 1, [3; 16]));
        assert_eq!((read.created, read.last_seen), (session().created, session().last_seen));
        assert_eq!((read.claims_at, read.fresh_until), (session().claims_at, session().fresh_until));
        assert_eq!((read.claims, read.claims_digest), (session().claims, [4; 8]));
        assert_eq!(reveal(read.refresh_token).as_deref(), Some("refresh"));
        assert_eq!(reveal(read.id_token).as_deref(), Some("id"));
        assert_eq!(reveal(read.access_token).as_deref(), Some("access"));
        assert_eq!((read.from_userinfo.as_deref(), read.role.as_deref()), (Some(r#"["email"]"#), Some("viewer")));
        let read = Session::decode(&empty().encode(), 0).expect("is a session");
        assert!(read.fresh_until.is_none() && read.texts() == [None; 5] && read.claims.is_empty());
    }

    #[test]
    fn octets_that_are_cut_or_too_many_or_of_another_version_are_no_session() {
        for session in [session(), empty()] {
            let good = session.encode();
            for end in 0..good.len() {
                assert!(Session::decode(&good[..end], 0).is_none(), "cut at {end}");
            }
            assert!(Session::decode(&[&good[..], b"\0"].concat(), 0).is_none());
            for version in [0, 2, 255] {
                assert!(Session::decode(&[&[version], &good[1..]].concat(), 0).is_none(), "version {version}");
            }
        }
    }

    #[test]
    fn flags_that_mean_nothing_are_no_session() {
        let flags = 1 + 16 + 4 + 16 + 3 * 8 + 8;
        for bit in [6, 7] {
            let mut octets = session().encode();
            assert_eq!(octets[flags], 0b11_1111);
            octets[flags] |= 1 << bit;
            assert!(Session::decode(&octets, 0).is_none(), "bit {bit}");
        }
    }

    #[test]
    fn logs_cannot_be_traced_back_and_show_no_secret() {
        let (one, other) = (session().log_id(), Session { id: [2; 16], ..session() }.log_id());
        assert!(one.len() == 16 && one.bytes().all(|byte| byte.is_ascii_hexdigit()) && one != other, "{one} {other}");
        assert_eq!(
            one,
            Session { generation: 9, from_userinfo: None, ..session() }.log_id(),
            "it is one session all its life"
        );
        assert_eq!(format!("{:?}", session()), format!("Session({one}, generation 2)"));
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use proptest::prelude::*;

        use super::*;

        fn sessions() -> impl Strategy<Value = Session> {
            let instant = || any::<u64>().prop_map(Timestamp::from_secs);
            let instants = (instant(), instant(), instant(), proptest::option::of(instant()));
            let text = || proptest::option::of(".*");
            let numbers = (any::<[u8; 16]>(), any::<u32>(), any::<[u8; 16]>(), any::<[u8; 8]>());
            (numbers, instants, ".*", (text(), text(), text(), text(), text())).prop_map(
                |(numbers, instants, claims, texts)| {
                    let (id, generation, flow, claims_digest) = numbers;
                    let (created, last_seen, claims_at, fresh_until) = instants;
                    let (refresh_token, id_token, access_token, from_userinfo, role) = texts;
                    let [refresh_token, id_token, access_token] =
                        [refresh_token, id_token, access_token].map(|token| token.map(Secret::new));
                    let (login, instants) = (0, (created, last_seen, claims_at, fresh_until));
                    let (created, last_seen, claims_at, fresh_until) = instants;
                    Session {
                        id,
                        generation,
                        login,
                        flow,
                        created,
                        last_seen,
                        claims_at,
                        fresh_until,
                        claims,
                        claims_digest,
                        refresh_token,
                        id_token,
                        access_token,
                        from_userinfo,
                        role,
                    }
                },
            )
        }

        proptest! {
            #[test]
            fn every_session_has_one_encoding(session in sessions()) {
                let octets = session.encode();
                let read = Session::decode(&octets, 0).expect("is a session");
                prop_assert_eq!(&*read.encode(), &*octets);
                prop_assert_eq!((read.claims.as_str(), read.texts()), (session.claims.as_str(), session.texts()));
                prop_assert_eq!((read.created, read.last_seen), (session.created, session.last_seen));
                prop_assert_eq!((read.claims_at, read.fresh_until), (session.claims_at, session.fresh_until));
            }

            #[test]
            fn no_octets_panic_and_what_they_are_is_said_in_one_way(octets in prop::collection::vec(any::<u8>(), 0..200)) {
                let octets = [&[VERSION][..], &octets].concat();
                if let Some(session) = Session::decode(&octets, 0) {
                    prop_assert_eq!(&*session.encode(), &octets);
                }
            }
        }
    }
}
