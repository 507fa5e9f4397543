//! An Envoy with a listener that comes, changes and goes while it runs.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

use crate::bootstrap::Bootstrap;
use crate::config::with_gate;
use crate::discovery::{LISTENERS, publish, response, watch};
use crate::envoy::{Builder, Envoy};
use crate::error::StartError;
use crate::ports::Port;

/// A running Envoy, with a listener beside those of its bootstrap configuration.
#[derive(Debug)]
pub struct ChangingEnvoy {
    envoy: Envoy,
    port: Port,
}

impl ChangingEnvoy {
    /// Starts it; the listener comes with the first update.
    pub fn start(bootstrap: &Bootstrap, options: impl FnOnce(Builder) -> Builder) -> Result<Self, StartError> {
        let mut config = parse(&bootstrap.text())?;
        watch(&mut config, &[LISTENERS]);
        let port = Port::reserve().map_err(StartError::of)?;
        let builder = options(Envoy::builder(&config.to_string())).file(LISTENERS.1, &response(&[]));
        Ok(Self { envoy: builder.start()?, port })
    }

    /// The listener is now as that of this configuration, soon: Envoy reads it in its own time.
    pub fn update(&self, bootstrap: &Bootstrap) -> Result<(), StartError> {
        let mut listener = parse(&bootstrap.text())?["static_resources"]["listeners"][0].take();
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        listener["name"] = json!("changing");
        listener["address"]["socket_address"]["port_value"] = json!(self.port.number());
        let text = with_gate(&listener.to_string())?;
        let text = text.replace("{{dir}}", &self.envoy.directory().display().to_string());
        publish(self.envoy.directory(), LISTENERS.1, &[parse(&text)?]).map_err(StartError::of)
    }

    /// The listener goes, soon.
    pub fn remove(&self) -> Result<(), StartError> {
        publish(self.envoy.directory(), LISTENERS.1, &[]).map_err(StartError::of)
    }

    /// Where the listener is.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number()).into()
    }

    /// The whole Envoy.
    pub const fn envoy(&self) -> &Envoy {
        &self.envoy
    }
}

fn parse(text: &str) -> Result<Value, StartError> {
    serde_json::from_str(text).map_err(StartError::of)
}
