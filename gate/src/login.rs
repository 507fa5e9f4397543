//! Logging in with a browser: the authorization code flow, from the redirect to the session.
//!
//! | file | subject |
//! | --- | --- |
//! | `navigation`, `cross_site`, `origin` | who asks, and from where |
//! | `own_path` | the paths that the gate answers itself |
//! | `pending`, `return_to` | a login under way: its cookie, its state, and where it leads |
//! | `start`, `callback`, `renew`, `logout` | what the gate does at a provider |
//! | `exchange`, `identify`, `failure` | what is asked there, and what an answer is worth |
//! | `role` | a role that its user chooses |
//! | `page`, `reply`, `failed_reply`, `info` | what people and their pages get to see |

mod address;
mod callback;
mod cross_site;
mod exchange;
mod failed_reply;
mod failure;
mod github;
mod identify;
mod info;
mod logout;
mod navigation;
mod origin;
mod own_path;
mod page;
mod pending;
mod renew;
mod reply;
mod return_to;
mod role;
mod start;

pub(crate) use self::callback::Returned;
pub(crate) use self::cross_site::is_refused as is_cross_site;
pub(crate) use self::exchange::Exchange;
pub(crate) use self::failed_reply::login_failed;
pub(crate) use self::failure::{Failed, Stop};
pub(crate) use self::identify::expiry;
pub(crate) use self::info::{LoggedIn, info};
pub(crate) use self::logout::{is_own_navigation, logged_out};
pub(crate) use self::navigation::Asker;
pub(crate) use self::own_path::{OwnPath, asked_request};
pub(crate) use self::page::{log_out, session_over};
pub(crate) use self::renew::Renewed;
pub(crate) use self::reply::{method_not_allowed, see, status};
pub(crate) use self::return_to::{Destinations, ReturnTo};
pub(crate) use self::role::{RoleAsked, role_page};
pub(crate) use self::start::{Asked, Wanted};
