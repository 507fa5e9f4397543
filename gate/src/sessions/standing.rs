//! What is to be done with a session that opened: use it, renew it, or end it.

use std::time::Duration;

use super::claims::is_of_another_grant;
use super::content::Session;
use crate::policy::{Browser, Policy, SessionSettings};
use crate::report::SessionEnd;
use crate::time::Timestamp;

/// How long a response may take that brings a session sealed anew, where another VM may refresh that session meanwhile.
const PROMPT: Duration = Duration::from_secs(5);

/// How long sessions of one login last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// From the login on.
    pub(crate) lifetime: Duration,
    /// Without a request.
    pub(crate) idle: Option<Duration>,
    /// How old claims get before they are fetched again; twice that is too old.
    pub(crate) refresh_after: Duration,
    /// How long claims that are too old stay in use while they cannot be fetched.
    pub(crate) outage: Duration,
    /// Whether a session without refresh token outlasts its claims.
    pub(crate) keep_after_expiry: bool,
    /// Sessions from before are over.
    pub(crate) not_before: Option<Timestamp>,
    /// How far clocks may differ.
    pub(crate) clock_skew: Duration,
}

/// What is to be done with a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// Use it.
    Good,
    /// Use it, and seal it anew: by its seal it was last seen too long ago, or the secret is on its way out.
    GoodButSeal,
    /// It is over.
    Over(SessionEnd),
    /// Use it, and fetch its claims again.
    RefreshDue,
    /// Fetch its claims again before it is used.
    RefreshNeeded,
}

impl Bounds {
    /// Those of sessions from an issuer whose clock may differ that much.
    pub(crate) fn new(settings: &SessionSettings, clock_skew: Duration) -> Self {
        let &SessionSettings { lifetime, idle, refresh_after, outage, keep_after_expiry, not_before, .. } = settings;
        Self { lifetime, idle, refresh_after, outage, keep_after_expiry, not_before, clock_skew }
    }

    /// Those of sessions of that login, by its index.
    pub(crate) fn of_login(policy: &Policy, browser: &Browser, login: usize) -> Self {
        let issuer = browser.logins.get(login).and_then(|login| policy.issuers.get(login.issuer));
        Self::new(&browser.session, issuer.map(|issuer| issuer.clock_skew).unwrap_or_default())
    }

    /// What is to be done with a session now, where claims with that digest are read.
    pub(crate) fn standing(&self, session: &Session, claims: [u8; 8], has_old_seal: bool, now: Timestamp) -> Standing {
        if let Some(end) = self.end(session, claims, now) {
            return Standing::Over(end);
        }
        if session.refresh_token.is_some() {
            if session.claims_digest != claims || self.too_old_at(session) <= now {
                return Standing::RefreshNeeded;
            }
            if self.is_due(session, now) {
                return Standing::RefreshDue;
            }
        }
        match self.needs_seal(session, has_old_seal, now) {
            true => Standing::GoodButSeal,
            false => Standing::Good,
        }
    }

    /// Whether a session should be sealed anew, even where its claims cannot be fetched.
    pub(crate) fn needs_seal(&self, session: &Session, has_old_seal: bool, now: Timestamp) -> bool {
        let is_recorded =
            |idle: Duration| now < session.last_seen.after(idle / 4) && !self.is_ahead(session.last_seen, now);
        has_old_seal || !self.idle.is_none_or(is_recorded)
    }

    /// Until when a response may bring a session that is sealed anew. A later one could take away its successor: as soon
    /// as its refresh is due, another VM may make one.
    pub(crate) fn seals_until(&self, session: &Session, now: Timestamp) -> Timestamp {
        match session.refresh_token {
            Some(_) => self.due_at(session).max(now.after(PROMPT)),
            None => session.created.after(self.lifetime),
        }
    }

    /// Whether a session whose refresh is needed stays in use though its issuer cannot be reached.
    pub(crate) fn outlasts_outage(&self, session: &Session, claims: [u8; 8], now: Timestamp) -> bool {
        self.end(session, claims, now).is_none()
            && session.claims_digest == claims
            && now < self.too_old_at(session).after(self.outage)
    }

    /// When a session is over, if it is used and refreshed until then.
    pub(crate) fn ends_at(&self, session: &Session) -> Timestamp {
        let lifetime = session.created.after(self.lifetime);
        self.expires_at(session).map_or(lifetime, |expiry| expiry.min(lifetime))
    }

    fn end(&self, session: &Session, claims: [u8; 8], now: Timestamp) -> Option<SessionEnd> {
        let is_past = |instant: Option<Timestamp>| instant.is_some_and(|instant| instant <= now);
        if self.not_before.is_some_and(|not_before| session.created < not_before) {
            Some(SessionEnd::NotBefore)
        } else if is_past(Some(session.created.after(self.lifetime))) || self.is_ahead(session.created, now) {
            Some(SessionEnd::Lifetime)
        } else if is_past(self.idle.map(|idle| session.last_seen.after(idle))) {
            Some(SessionEnd::Idle)
        } else if is_past(self.expires_at(session)) {
            Some(SessionEnd::Expired)
        } else {
            let is_renewable = session.refresh_token.is_some() && !is_of_another_grant(session.claims_digest, claims);
            (session.claims_digest != claims && !is_renewable).then_some(SessionEnd::MissingClaims)
        }
    }

    /// When a session is over because nothing can renew its claims.
    fn expires_at(&self, session: &Session) -> Option<Timestamp> {
        let expiry = session.fresh_until?.after(self.clock_skew);
        (session.refresh_token.is_none() && !self.keep_after_expiry).then_some(expiry)
    }

    fn is_due(&self, session: &Session, now: Timestamp) -> bool {
        self.due_at(session) <= now || self.is_ahead(session.claims_at, now)
    }

    /// When claims are to be fetched again.
    fn due_at(&self, session: &Session) -> Timestamp {
        let due = session.claims_at.after(self.refresh_after);
        session.fresh_until.map_or(due, |expiry| expiry.min(due))
    }

    /// When claims are no longer used.
    fn too_old_at(&self, session: &Session) -> Timestamp {
        let too_old = session.claims_at.after(self.refresh_after.saturating_mul(2));
        session.fresh_until.map_or(too_old, |expiry| expiry.after(self.clock_skew).min(too_old))
    }

    /// Whether an instant lies further ahead than clocks differ: the clock was set back since.
    fn is_ahead(&self, instant: Timestamp, now: Timestamp) -> bool {
        instant > now.after(self.clock_skew)
    }
}

#[cfg(test)]
mod tests {
    use oauth::Secret;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::content::tests::session;
    use super::*;

    const START: u64 = 1_800_000_000;
    const CLAIMS: [u8; 8] = [4; 8];
    const HOUR: u64 = 3_600;

    const BOUNDS: Bounds = Bounds {
        lifetime: Duration::from_hours(12),
        idle: None,
        refresh_after: Duration::from_mins(5),
        outage: Duration::from_mins(15),
        keep_after_expiry: false,
        not_before: None,
        clock_skew: Duration::from_mins(1),
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(START + seconds)
    }

    /// A session that began at the start, and was not used since.
    fn with_refresh_token() -> Session {
        Session { created: at(0), last_seen: at(0), claims_at: at(0), fresh_until: None, ..session() }
    }

    fn without_refresh_token() -> Session {
        Session { refresh_token: None, ..with_refresh_token() }
    }

    fn standing(bounds: &Bounds, session: &Session, seconds: u64) -> Standing {
        bounds.standing(session, CLAIMS, false, at(seconds))
    }

    /// Each standing from its second on.
    fn check(bounds: &Bounds, session: &Session, expected: &[(u64, Standing)]) {
        for (index, &(from, found)) in expected.iter().enumerate() {
            assert_eq!(standing(bounds, session, from), found, "at {from}");
            if let Some(&(next, _)) = expected.get(index + 1) {
                assert_eq!(standing(bounds, session, next - 1), found, "at {next} - 1");
                let last = at(next).before(Duration::from_nanos(1));
                assert_eq!(bounds.standing(session, CLAIMS, false, last), found, "just before {next}");
            }
        }
    }

    #[test]
    fn a_session_without_refresh_token_lasts_its_lifetime() {
        let over = Standing::Over(SessionEnd::Lifetime);
        check(&BOUNDS, &without_refresh_token(), &[(0, Standing::Good), (12 * HOUR, over), (u64::MAX - START, over)]);
    }

    #[test]
    fn claims_are_refreshed_in_time() {
        let session = with_refresh_token();
        check(
            &BOUNDS,
            &session,
            &[
                (0, Standing::Good),
                (300, Standing::RefreshDue),
                (600, Standing::RefreshNeeded),
                (12 * HOUR, Standing::Over(SessionEnd::Lifetime)),
            ],
        );
        let short = Session { fresh_until: Some(at(120)), ..session };
        let expected = [
            (0, Standing::Good),
            (120, Standing::RefreshDue),
            (180, Standing::RefreshNeeded),
            (12 * HOUR, Standing::Over(SessionEnd::Lifetime)),
        ];
        check(&BOUNDS, &short, &expected);
        let long = Session { fresh_until: Some(at(HOUR)), ..short };
        check(&BOUNDS, &long, &[(0, Standing::Good), (300, Standing::RefreshDue), (600, Standing::RefreshNeeded)]);
    }

    #[test]
    fn a_session_without_refresh_token_ends_with_its_claims_unless_it_is_kept() {
        let session = Session { fresh_until: Some(at(HOUR)), ..without_refresh_token() };
        check(&BOUNDS, &session, &[(0, Standing::Good), (HOUR + 60, Standing::Over(SessionEnd::Expired))]);
        let kept = Bounds { keep_after_expiry: true, ..BOUNDS };
        check(&kept, &session, &[(0, Standing::Good), (12 * HOUR, Standing::Over(SessionEnd::Lifetime))]);
        for (bounds, session, end) in [
            (BOUNDS, &session, HOUR + 60),
            (kept, &session, 12 * HOUR),
            (BOUNDS, &without_refresh_token(), 12 * HOUR),
            (BOUNDS, &Session { fresh_until: Some(at(HOUR)), ..with_refresh_token() }, 12 * HOUR),
            (BOUNDS, &Session { fresh_until: Some(at(99 * HOUR)), ..without_refresh_token() }, 12 * HOUR),
        ] {
            assert_eq!(bounds.ends_at(session), at(end));
        }
    }

    #[test]
    fn a_session_that_is_not_used_ends_and_one_that_is_used_is_sealed_for_it() {
        let bounds = Bounds { idle: Some(Duration::from_hours(1)), ..BOUNDS };
        let session = without_refresh_token();
        check(
            &bounds,
            &session,
            &[(0, Standing::Good), (HOUR / 4, Standing::GoodButSeal), (HOUR, Standing::Over(SessionEnd::Idle))],
        );
        let used = Session { last_seen: at(HOUR), ..session };
        check(
            &bounds,
            &used,
            &[
                (HOUR, Standing::Good),
                (HOUR + HOUR / 4, Standing::GoodButSeal),
                (2 * HOUR, Standing::Over(SessionEnd::Idle)),
            ],
        );
        let refreshed = with_refresh_token();
        assert_eq!(standing(&bounds, &refreshed, HOUR / 4), Standing::RefreshNeeded);
        assert!(
            bounds.needs_seal(&refreshed, false, at(HOUR / 4))
                && !bounds.needs_seal(&refreshed, false, at(HOUR / 4 - 1))
        );
        assert!(!BOUNDS.needs_seal(&refreshed, false, at(9 * HOUR)), "nothing is recorded without `idle`");
    }

    #[test]
    fn whoever_comes_with_an_old_seal_gets_a_new_one() {
        let session = without_refresh_token();
        assert_eq!(BOUNDS.standing(&session, CLAIMS, true, at(0)), Standing::GoodButSeal);
        assert_eq!(BOUNDS.standing(&session, CLAIMS, true, at(12 * HOUR)), Standing::Over(SessionEnd::Lifetime));
        assert_eq!(BOUNDS.standing(&with_refresh_token(), CLAIMS, true, at(300)), Standing::RefreshDue);
    }

    #[test]
    fn sessions_from_before_are_over() {
        for (not_before, standing) in [(at(0), Standing::Good), (at(1), Standing::Over(SessionEnd::NotBefore))] {
            let bounds = Bounds { not_before: Some(not_before), ..BOUNDS };
            assert_eq!(bounds.standing(&with_refresh_token(), CLAIMS, false, at(60)), standing);
        }
    }

    #[test]
    fn other_claims_are_fetched_first_or_the_session_is_over() {
        let (mut others, mut of_other_scopes) = (CLAIMS, CLAIMS);
        (others[3], of_other_scopes[4]) = (5, 5);
        let read = |session: &Session, claims| BOUNDS.standing(session, claims, false, at(0));
        assert_eq!(read(&with_refresh_token(), others), Standing::RefreshNeeded);
        assert_eq!(read(&without_refresh_token(), others), Standing::Over(SessionEnd::MissingClaims));
        assert!(!BOUNDS.outlasts_outage(&with_refresh_token(), others, at(0)), "not even while nobody can be asked");
        assert_eq!(read(&with_refresh_token(), of_other_scopes), Standing::Over(SessionEnd::MissingClaims));
    }

    #[test]
    fn an_outage_prolongs_claims_but_no_session() {
        let outlasts = |session: &Session, seconds| BOUNDS.outlasts_outage(session, CLAIMS, at(seconds));
        let session = with_refresh_token();
        assert!(outlasts(&session, 600) && outlasts(&session, 600 + 899) && !outlasts(&session, 600 + 900));
        let short = Session { fresh_until: Some(at(120)), ..session };
        assert!(outlasts(&short, 180 + 899) && !outlasts(&short, 180 + 900));
        let late = Session { claims_at: at(12 * HOUR - 601), ..short };
        assert!(!outlasts(&late, 12 * HOUR));
    }

    #[test]
    fn what_lies_further_ahead_than_clocks_differ_is_not_believed() {
        let ahead = Session { created: at(60), last_seen: at(60), claims_at: at(60), ..with_refresh_token() };
        assert_eq!(standing(&BOUNDS, &ahead, 0), Standing::Good);
        let created = Session { created: at(61), ..ahead.clone() };
        assert_eq!(standing(&BOUNDS, &created, 0), Standing::Over(SessionEnd::Lifetime));
        let fetched = Session { claims_at: at(61), ..ahead.clone() };
        assert_eq!(standing(&BOUNDS, &fetched, 0), Standing::RefreshDue);
        let bounds = Bounds { idle: Some(Duration::from_hours(1)), ..BOUNDS };
        let seen = Session { last_seen: at(61), ..ahead };
        assert_eq!(standing(&bounds, &seen, 0), Standing::GoodButSeal);
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use proptest::prelude::*;

        use super::*;

        fn seconds(most: u64) -> impl Strategy<Value = Duration> {
            (0..most).prop_map(Duration::from_secs)
        }

        prop_compose! {
            fn bounds()(
                lifetime in seconds(2_000),
                idle in proptest::option::of(seconds(2_000)),
                refresh_after in seconds(500),
                outage in seconds(500),
                keep_after_expiry: bool,
                not_before in proptest::option::of(0_u64..500),
                clock_skew in seconds(100),
            ) -> Bounds {
                let not_before = not_before.map(at);
                Bounds { lifetime, idle, refresh_after, outage, keep_after_expiry, not_before, clock_skew }
            }
        }

        prop_compose! {
            fn sessions()(
                instants in [0_u64..1_000, 0..1_000, 0..1_000],
                fresh_until in proptest::option::of(0_u64..2_000),
                has_refresh_token: bool,
            ) -> Session {
                let [created, last_seen, claims_at] = instants.map(at);
                let fresh_until = fresh_until.map(at);
                let refresh_token = has_refresh_token.then(|| Secret::new("refresh"));
                Session { created, last_seen, claims_at, fresh_until, refresh_token, ..session() }
            }
        }

        proptest! {
            #[test]
            fn no_session_outlives_its_bounds(bounds in bounds(), session in sessions(), now in 0_u64..5_000, other: bool) {
                let now = at(now);
                let digest = if other { [5, 5, 5, 5, 4, 4, 4, 4] } else { CLAIMS };
                let standing = bounds.standing(&session, digest, false, now);
                let is_over = matches!(standing, Standing::Over(_));
                let is_used = !is_over && standing != Standing::RefreshNeeded;
                prop_assert!(is_over || now < session.created.after(bounds.lifetime));
                prop_assert!(is_over || bounds.idle.is_none_or(|idle| now < session.last_seen.after(idle)));
                prop_assert!(is_over || bounds.not_before.is_none_or(|not_before| session.created >= not_before));
                prop_assert!(is_over || now < bounds.ends_at(&session));
                prop_assert!(!is_used || !other);
                let is_renewed = session.refresh_token.is_some();
                let expires = session.fresh_until.filter(|_| is_renewed || !bounds.keep_after_expiry);
                prop_assert!(!is_used || expires.is_none_or(|expiry| now < expiry.after(bounds.clock_skew)));
                prop_assert!(!is_used || !is_renewed || now < session.claims_at.after(bounds.refresh_after * 2));
                prop_assert!(is_renewed || is_over || is_used, "nothing waits for a refresh that cannot be");
                prop_assert!(!is_over || !bounds.outlasts_outage(&session, digest, now));
            }

            #[test]
            fn what_is_over_stays_over(bounds in bounds(), session in sessions(), now in 0_u64..5_000, later in 0_u64..5_000) {
                let is_over = |seconds| matches!(standing(&bounds, &session, seconds), Standing::Over(_));
                let is_ahead = bounds.is_ahead(session.created, at(now));
                prop_assert!(!is_over(now) || is_over(now + later) || is_ahead);
            }

            #[test]
            fn however_it_is_used_it_ends_in_time(bounds in bounds(), pauses in prop::collection::vec(0_u64..400, 1..40)) {
                let mut session = with_refresh_token();
                let mut now = 0;
                for pause in pauses {
                    now += pause;
                    let found = standing(&bounds, &session, now);
                    let idle = bounds.idle.map_or(u64::MAX, |idle| idle.as_secs());
                    if let Standing::Over(_) = found {
                        // A use is recorded when a quarter of `idle` has passed.
                        let had_time = now < bounds.lifetime.as_secs() && pause + 1 < idle - idle / 4;
                        prop_assert!(!had_time || idle < 8 || bounds.not_before.is_some_and(|instant| instant > at(0)));
                        break;
                    }
                    prop_assert!(now < bounds.lifetime.as_secs() && pause < idle);
                    if matches!(found, Standing::RefreshDue | Standing::RefreshNeeded) {
                        session = Session { claims_at: at(now), last_seen: at(now), ..session };
                    } else if found == Standing::GoodButSeal {
                        session = Session { last_seen: at(now), ..session };
                    }
                }
            }
        }
    }
}
