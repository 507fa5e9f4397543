//! The checks of a token, in words.

use gate::explain::{Check, TokenTrace};
use gate::policy::{Audiences, IntrospectionSettings, IntrospectionStyle, Issuer};
use jose::base64url;
use serde_json::Value;

use super::context::Context;
use super::explanation::{CheckOutcome, CheckStep, TokenStep};
use super::keys::KeyProvenance;

/// The parts of a token, to be shown: the engine reads them for itself.
struct Shown<'t> {
    trace: &'t TokenTrace,
    issuer: Option<&'t Issuer>,
    header: Option<Value>,
    claims: Option<Value>,
}

impl Context<'_> {
    pub(super) fn token(&self, trace: &TokenTrace) -> TokenStep {
        let header = trace.text.split(|&byte| byte == b'.').next().filter(|_| !trace.is_introspected);
        let header = header.and_then(base64url::decode).and_then(|header| serde_json::from_slice(&header).ok());
        let claims = self.claims(trace);
        let issuer = trace.issuer.and_then(|issuer| self.policy.issuers().get(issuer));
        let shown = Shown { trace, issuer, header, claims };
        let check = |check| CheckStep {
            check: name(check),
            outcome: self.outcome(check, trace),
            detail: self.describe(check, &shown),
        };
        let checks: &[Check] = if trace.is_introspected { &Check::OF_INTROSPECTED } else { &Check::OF_JWT };
        let checks = checks.iter().copied();
        TokenStep {
            checks: checks.filter(|check| shown.has(*check)).map(check).collect(),
            issuer: trace.issuer.and_then(|issuer| self.issuer_name(issuer)),
            keys: self.provenance.map(KeyProvenance::name),
            signature_trusted: self.question.trust_signature,
            reason: trace.failed.filter(|_| !self.is_undecided).map(|(_, reason)| reason.name().to_string()),
            header: shown.header,
            claims: shown.claims,
        }
    }

    /// What the token says, or its issuer of it.
    pub(super) fn payload(&self, trace: &TokenTrace) -> Option<Vec<u8>> {
        match trace.is_introspected {
            true => self.question.introspection.clone().map(String::into_bytes),
            false => trace.text.split(|&byte| byte == b'.').nth(1).and_then(base64url::decode),
        }
    }

    fn claims(&self, trace: &TokenTrace) -> Option<Value> {
        serde_json::from_slice(&self.payload(trace)?).ok()
    }

    /// A claim of a token, to be shown.
    pub(super) fn claim(&self, trace: &TokenTrace, name: &str) -> String {
        member(self.claims(trace).as_ref(), name)
    }

    fn outcome(&self, check: Check, trace: &TokenTrace) -> CheckOutcome {
        let failed = trace.failed.map(|(failed, _)| failed);
        let is_reached = failed.is_none_or(|failed| check <= failed);
        let keys_unknown = self.provenance == Some(KeyProvenance::Unknown);
        match check {
            _ if !is_reached => CheckOutcome::Skipped,
            Check::Signature if self.question.trust_signature => CheckOutcome::Trusted,
            Check::Key | Check::Signature if keys_unknown => CheckOutcome::Unknown,
            _ if failed == Some(check) => CheckOutcome::Failed,
            _ => CheckOutcome::Passed,
        }
    }

    /// What a check compares.
    fn describe(&self, check: Check, shown: &Shown<'_>) -> String {
        let now = self.question.now;
        let failed = shown.trace.failed.map(|(failed, _)| failed);
        // The key that it names comes with what is said of it.
        if let Some(detail) = shown.trace.detail.as_ref().filter(|_| failed == Some(check) && check != Check::Key) {
            return detail.clone();
        }
        let known = || self.policy.issuers().iter().map(Issuer::identifier).collect::<Vec<_>>().join(", ");
        let Some(issuer) = shown.issuer else {
            return match check {
                Check::Size => shown.size(self.policy.limits().token_bytes),
                Check::Form => String::from("three parts of base64url, the first two JSON objects"),
                Check::Algorithm => shown.header("alg"),
                Check::Extensions => String::from("no `crit`, and no `b64` but true"),
                Check::Issuer => format!("{}, expected one of {}", shown.named_issuer(), known()),
                _ => String::new(),
            };
        };
        match check {
            Check::Size => shown.size(self.policy.limits().token_bytes),
            Check::Form => String::from("three parts of base64url, the first two JSON objects"),
            Check::Introspection => self.describe_introspection(issuer, failed == Some(check)),
            Check::Algorithm => shown.header("alg"),
            Check::Extensions => String::from("no `crit`, and no `b64` but true"),
            Check::Issuer if shown.trace.is_introspected => {
                format!("{}, expected `{}` where there is one", shown.claim("iss"), issuer.identifier())
            }
            Check::Issuer => format!("{}, the issuer `{}`", shown.named_issuer(), issuer.name()),
            Check::AllowedAlgorithm => {
                let usable = issuer.algorithms().iter().filter(|algorithm| issuer.allows(**algorithm));
                let names: Vec<_> = usable.map(|algorithm| algorithm.name()).collect();
                format!("{}, the issuer's tokens may use {}", shown.header("alg"), names.join(", "))
            }
            Check::Key => match (&shown.trace.detail, failed == Some(check)) {
                (Some(detail), true) => format!("{}: {detail}", shown.header("kid")),
                _ => shown.header("kid"),
            },
            Check::Signature => match self.provenance {
                Some(KeyProvenance::Unknown) => String::from("the issuer's keys are not known here"),
                _ if failed == Some(check) => String::from("it was made by none of the keys that may be used"),
                _ => String::new(),
            },
            Check::Type if shown.trace.is_introspected => {
                match issuer.introspection().map(IntrospectionSettings::style) {
                    Some(IntrospectionStyle::Rfc7662(_)) => {
                        format!("{}, expected Bearer where there is one", shown.claim("token_type"))
                    }
                    _ => String::from("not checked: `style` is `self`"),
                }
            }
            Check::Type => match issuer.token_types() {
                Some(wanted) => format!("{}, expected one of {}", shown.header("typ"), wanted.join(", ")),
                None if issuer.trust_domain().is_some() => format!("{}, expected JWT or JOSE", shown.header("typ")),
                None => String::from("not checked: the issuer has no `tokenTypes`"),
            },
            Check::Tenant => match issuer.tenants() {
                Some(pattern) => shown.claim(pattern.claim()),
                None => String::from("not checked: the issuer has no `tenants`"),
            },
            Check::Scopes => String::from("a string or an array of strings, where there are some"),
            Check::Groups => match (shown.odd_groups(), issuer.groups_member()) {
                (Some(odd), _) => format!("none: {odd}"),
                (None, Some(member)) => format!("objects with a string `{member}`, where there are some"),
                (None, None) => String::from("a string or an array of strings, where there are some"),
            },
            Check::Expiry if shown.trace.is_introspected => shown.date("exp", now),
            Check::Expiry => format!("{}{}", shown.date("exp", now), skew(issuer)),
            Check::Start => format!("{}, {}{}", shown.date("nbf", now), shown.date("iat", now), skew(issuer)),
            Check::Lifetime => match issuer.max_lifetime() {
                Some(most) => format!("`maxLifetime` is {}", span(most.as_secs())),
                None => String::from("not checked: the issuer has no `maxLifetime`"),
            },
            Check::Audience => match issuer.audiences() {
                Audiences::Any => String::from("not checked: the issuer's `audiences` are `any`"),
                Audiences::OneOf(wanted) => {
                    format!("{}, expected one of {}", shown.audiences(issuer), wanted.join(", "))
                }
            },
        }
    }
}

impl Context<'_> {
    /// What the issuer of a token that only it can read is asked, and what it says.
    fn describe_introspection(&self, issuer: &Issuer, failed: bool) -> String {
        let endpoint = issuer.introspection().map_or("", |settings| settings.endpoint().as_str());
        match (&self.question.introspection, failed) {
            (None, _) => format!("the issuer `{}` says at {endpoint} what the token is worth", issuer.name()),
            (Some(_), true) => format!("the answer given for {endpoint} is no `active: true`"),
            (Some(_), false) => format!("by the answer given for {endpoint}"),
        }
    }
}

impl Shown<'_> {
    fn size(&self, most: usize) -> String {
        format!("{} bytes, of {most} at most", self.trace.text.len())
    }

    fn header(&self, name: &str) -> String {
        member(self.header.as_ref(), name)
    }

    fn claim(&self, name: &str) -> String {
        member(self.claims.as_ref(), name)
    }

    /// What says whose token it is.
    fn named_issuer(&self) -> String {
        match self.issuer.is_some_and(|issuer| issuer.trust_domain().is_some()) {
            true => self.claim("sub"),
            false => self.claim("iss"),
        }
    }

    fn audiences(&self, issuer: &Issuer) -> String {
        let claims = issuer.audience_claims().iter().map(|reference| match reference.names() {
            [name] => self.claim(name),
            names => member_at(self.claims.as_ref(), names),
        });
        claims.collect::<Vec<_>>().join(", ")
    }

    fn odd_groups(&self) -> Option<&str> {
        self.trace.principal.as_ref().and_then(|principal| principal.odd_groups()).map(|odd| &**odd)
    }

    /// Whether a check is made of tokens such as this.
    fn has(&self, check: Check) -> bool {
        check != Check::Tenant || self.issuer.is_some_and(|issuer| issuer.tenants().is_some())
    }

    /// `exp` 2027-01-15T08:00:00Z, in 5m
    fn date(&self, name: &str, now: u64) -> String {
        let seconds = self.claims.as_ref().and_then(|claims| claims.get(name)?.as_f64()).filter(|date| *date >= 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is only shown")]
        let seconds = seconds.map(|date| date as u64);
        match seconds {
            None => self.claim(name),
            Some(seconds) if seconds > now => {
                format!("`{name}` is {}, in {}", date(seconds), span(seconds.saturating_sub(now)))
            }
            Some(seconds) => format!("`{name}` is {}, {} ago", date(seconds), span(now.saturating_sub(seconds))),
        }
    }
}

fn name(check: Check) -> &'static str {
    match check {
        Check::Size => "size",
        Check::Form => "form",
        Check::Introspection => "introspection",
        Check::Algorithm => "algorithm",
        Check::Extensions => "extensions",
        Check::Issuer => "issuer",
        Check::AllowedAlgorithm => "allowedAlgorithm",
        Check::Key => "key",
        Check::Signature => "signature",
        Check::Type => "type",
        Check::Tenant => "tenant",
        Check::Scopes => "scopes",
        Check::Groups => "groups",
        Check::Expiry => "expiry",
        Check::Start => "start",
        Check::Lifetime => "lifetime",
        Check::Audience => "audience",
    }
}

fn member(object: Option<&Value>, name: &str) -> String {
    match object.and_then(|object| object.get(name)) {
        Some(value) => format!("`{name}` is {value}"),
        None => format!("no `{name}`"),
    }
}

fn member_at(object: Option<&Value>, names: &[String]) -> String {
    let found = names.iter().try_fold(object, |value, name| Some(value?.get(name))).flatten();
    match found {
        Some(value) => format!("`{}` is {value}", names.join(".")),
        None => format!("no `{}`", names.join(".")),
    }
}

fn skew(issuer: &Issuer) -> String {
    format!(", `clockSkew` is {}", span(issuer.clock_skew().as_secs()))
}

/// A moment, as RFC 3339 has it.
pub(super) fn date(seconds: u64) -> String {
    let date = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    date.map_or_else(|| seconds.to_string(), |date| date.to_string())
}

/// `1h 5m`: the two largest units that are there.
fn span(seconds: u64) -> String {
    let units = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts = units.into_iter().skip_while(|(count, _)| *count == 0).take(2).filter(|(count, _)| *count > 0);
    let text = parts.map(|(count, unit)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ");
    if text.is_empty() { String::from("0s") } else { text }
}
