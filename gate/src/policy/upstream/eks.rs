//! Tokens for clusters of Amazon EKS.

use std::sync::Arc;
use std::time::Duration;

use aws::arn::RoleArn;
use aws::eks::ClusterName;
use aws::region::Region;

use crate::http::HttpUri;
use crate::rules::{Access, Requirement};

/// How a token for a cluster is made.
#[derive(Clone, Debug)]
pub struct Eks {
    pub(crate) region: Region,
    pub(crate) cluster_name: ClusterName,
    /// Where roles are assumed.
    pub(crate) sts: HttpUri,
    /// The proxy's name for its upstream.
    pub(crate) sts_cluster: String,
    /// INVARIANT: at least one; no two have one name.
    pub(crate) roles: Vec<Role>,
    /// How long a role is assumed for.
    pub(crate) duration: Duration,
}

/// A role of AWS.
#[derive(Clone, Debug)]
pub struct Role {
    /// What users and logs call it.
    pub(crate) name: Arc<str>,
    pub(crate) arn: RoleArn,
    /// What a caller needs to take it; INVARIANT: no word but `authenticated`.
    pub(crate) access: Access,
}

impl Eks {
    /// How long a callout to STS may take.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

    /// The region.
    pub fn region(&self) -> &str {
        self.region.as_str()
    }

    /// The name of the cluster.
    pub fn cluster_name(&self) -> &str {
        self.cluster_name.as_str()
    }

    /// Where roles are assumed.
    pub fn sts(&self) -> &HttpUri {
        &self.sts
    }

    /// The roles.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }
}

impl Role {
    /// What users and logs call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name at AWS.
    pub fn arn(&self) -> &str {
        self.arn.as_str()
    }

    /// What a caller needs to take it.
    pub fn access(&self) -> Option<&Requirement> {
        self.access.requirement()
    }
}
