//! Bootstrap texts: what stands for ports and paths is filled in.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::error::StartError;
use crate::ports::Port;
use crate::programs::{Gate, as_module, module_in_folder, plugin};

/// The ports of the repository's runnable configurations.
const FIXED: [(u16, &str); 6] = [
    (18_000, "gateway"),
    (18_001, "issuer"),
    (18_002, "upstream"),
    (18_003, "admin"),
    (18_004, "second-issuer"),
    (18_005, "sts"),
];
const MODULE: &str = "dist/jotgate.wasm";

#[derive(Debug)]
pub(crate) struct Config {
    text: String,
    /// It is written for the plugin, as people read it.
    is_runnable: bool,
    ports: BTreeMap<String, Port>,
}

impl Config {
    pub(crate) fn with_placeholders(text: &str) -> Self {
        Self { text: text.into(), is_runnable: false, ports: BTreeMap::new() }
    }

    pub(crate) fn with_fixed_ports(text: &str) -> Self {
        let mut text = text.replace(MODULE, "{{plugin}}");
        for (number, name) in FIXED {
            text = replace_number(&text, number, &format!("{{{{port:{name}}}}}"));
        }
        Self { is_runnable: true, ..Self::with_placeholders(&text) }
    }

    /// Has a runnable configuration load what is under test.
    pub(crate) fn choose_gate(&mut self) -> Result<(), StartError> {
        if self.is_runnable && Gate::under_test() == Gate::Module {
            self.text = as_module(&self.text)?;
        }
        Ok(())
    }

    pub(crate) fn set_port(&mut self, name: &str, port: Port) {
        self.ports.insert(name.into(), port);
    }

    pub(crate) fn replace(&mut self, text: &str, replacement: &str) {
        self.text = self.text.replace(text, replacement);
    }

    /// Whether Envoy loads a native module.
    pub(crate) fn has_module(&self) -> bool {
        self.text.contains("dynamic_module_config")
    }

    /// Takes the plugin's own options out of what configures a module, and gives the environment that is one of them: a
    /// module has that of its process.
    pub(crate) fn take_environment(&mut self) -> Vec<(String, String)> {
        let mut environment = Vec::new();
        if let (true, Ok(mut config)) = (self.has_module(), serde_json::from_str(&self.text)) {
            take_options(&mut config, &mut environment);
            self.text = config.to_string();
        }
        environment
    }

    /// The text to start with, and the ports in it.
    pub(crate) fn resolve(self, directory: &Path) -> Result<(String, BTreeMap<String, Port>), StartError> {
        let mut ports = self.ports;
        let mut text = self.text.replace("{{dir}}", &directory.display().to_string());
        text = with_gate(&text)?;
        while let Some(name) = first_port(&text) {
            if !ports.contains_key(&name) {
                let port = Port::reserve().map_err(StartError::of)?;
                ports.insert(name.clone(), port);
            }
            let number = ports.get(&name).map(Port::number).unwrap_or_default();
            text = text.replace(&format!("{{{{port:{name}}}}}"), &number.to_string());
        }
        Ok((text, ports))
    }
}

/// The text, with what the gate is loaded from filled in.
pub(crate) fn with_gate(text: &str) -> Result<String, StartError> {
    let mut text = text.to_owned();
    if text.contains("{{plugin}}") {
        text = text.replace("{{plugin}}", &plugin()?.display().to_string());
    }
    if text.contains("{{module}}") {
        text = text.replace("{{module}}", &module_in_folder()?.0);
    }
    Ok(text)
}

fn take_options(config: &mut Value, environment: &mut Vec<(String, String)>) {
    if config.get("dynamic_module_config").is_some() {
        let options = config.as_object_mut().and_then(|filter| filter.remove("config")).unwrap_or_default();
        let variables = options["vm_config"]["environment_variables"]["key_values"].as_object().cloned();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        environment.extend(variables.unwrap_or_default().iter().map(|(name, value)| (name.clone(), text(value))));
        return;
    }
    match config {
        Value::Array(items) => items.iter_mut().for_each(|item| take_options(item, environment)),
        Value::Object(members) => members.values_mut().for_each(|member| take_options(member, environment)),
        _ => {}
    }
}

fn first_port(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("{{port:")?;
    let (name, _) = rest.split_once("}}")?;
    Some(name.into())
}

/// Replaces a number where it stands alone, not as a part of a longer one.
fn replace_number(text: &str, number: u16, replacement: &str) -> String {
    let digits = number.to_string();
    let mut pieces = text.split(&digits).peekable();
    let mut replaced = String::with_capacity(text.len());
    while let Some(piece) = pieces.next() {
        replaced.push_str(piece);
        let Some(next) = pieces.peek() else { break };
        let alone = !replaced.ends_with(is_digit) && !next.starts_with(is_digit);
        replaced.push_str(if alone { replacement } else { &digits });
    }
    replaced
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_ports_are_replaced_where_they_stand_alone() {
        let config = Config::with_fixed_ports("{port_value: 18000, uri: 'http://127.0.0.1:18001/jwks', bytes: 180000}");
        let expected = "{port_value: {{port:gateway}}, uri: 'http://127.0.0.1:{{port:issuer}}/jwks', bytes: 180000}";
        assert_eq!(config.text, expected);
    }

    #[test]
    fn a_name_stands_for_one_port() {
        let mut config = Config::with_placeholders("{{port:a}} {{port:b}} {{port:a}} {{port:c}} {{dir}}");
        config.set_port("c", Port::taken(7));
        let (text, ports) = config.resolve(Path::new("/run")).unwrap();
        let (a, b) = (ports["a"].number(), ports["b"].number());
        assert_ne!(a, b);
        assert_eq!(text, format!("{a} {b} {a} 7 /run"));
    }
}
