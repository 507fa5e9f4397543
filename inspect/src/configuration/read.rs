//! A configuration as the engine reads it, each of its mistakes with its location in the file.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate::{ConfigErrors, Policy};

use super::mistake::{is_about_name, suggestion};
use crate::document::{self, Ambiguity, Document, JsonText, Node, Origin};
use crate::finding::{Finding, member_path};
use crate::locate::{Form, Located, Reader};
use gate::config::ConfigError;

/// What became of a configuration that was read.
#[derive(Debug)]
pub struct Configuration {
    /// Its tree, with locations in the file.
    pub tree: Option<Node>,
    /// What the engine makes of it, unless something is wrong.
    pub policy: Option<Policy>,
    /// What is wrong, in the order of the file.
    pub errors: Vec<Finding>,
}

/// The variables of the plugin's environment, by name.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

impl Configuration {
    /// Reads a configuration that was found in `file`.
    pub fn read(found: &Located<'_>, file: &str, env: Environment<'_>) -> Self {
        match found.form {
            Form::Missing(resource) => Self::wrong("the plugin has no configuration", resource),
            Form::Unreadable(any) => {
                Self::wrong("expected a `google.protobuf.Struct`, `StringValue` or `BytesValue`, with its `value`", any)
            }
            Form::Tree(node) => Self::of_tree(node.clone(), file, found.deployment.reader, env),
            Form::Text(node) => match document::embedded_json(node, file) {
                Some(tree) => Self::of_tree(tree, file, Reader::Any, env),
                None => Self::of_bytes(node.text().unwrap_or_default().as_bytes(), node, env),
            },
            Form::Base64(node) => match STANDARD.decode(node.text().unwrap_or_default()) {
                Ok(bytes) => Self::of_bytes(&bytes, node, env),
                Err(error) => Self::wrong(format!("expected base64: {error}"), node),
            },
        }
    }

    fn wrong(message: impl Into<String>, node: &Node) -> Self {
        let error = Finding::error("configuration", "", message, node.span.clone());
        Self { tree: None, policy: None, errors: vec![error] }
    }

    /// What the plugin gets as bytes: of these only the whole has a location.
    fn of_bytes(bytes: &[u8], node: &Node, env: Environment<'_>) -> Self {
        let tree = str::from_utf8(bytes).ok().and_then(|text| document::json_at(text, &node.span));
        match Policy::parse(bytes, env) {
            Ok(policy) => Self { tree, policy: Some(policy), errors: Vec::new() },
            Err(errors) => Self { tree, policy: None, errors: findings(&errors, |_| node.span.clone()) },
        }
    }

    fn of_tree(tree: Node, file: &str, reader: Reader, env: Environment<'_>) -> Self {
        if !tree.is_map() {
            return Self::wrong("expected an object with `issuers`", &tree);
        }
        let json = JsonText::new(&tree);
        let mut errors = Vec::new();
        collect_ambiguities(&tree, "", reader, &mut errors);
        let policy = match Policy::parse(json.text.as_bytes(), env) {
            Ok(policy) => Some(policy),
            Err(found) => {
                let locate = |error: &ConfigError| location(json.origin(error.offset), error, file);
                errors.extend(findings(&found, |error| locate(error).unwrap_or(tree.span.clone())));
                None
            }
        };
        errors.sort_by_key(|error| error.span.start);
        Self { tree: Some(tree), policy, errors }
    }
}

/// The mistakes, each with its location in the file.
fn findings(errors: &ConfigErrors, locate: impl Fn(&ConfigError) -> Range<usize>) -> Vec<Finding> {
    let finding = |error: &ConfigError| Finding {
        help: suggestion(error),
        ..Finding::error("configuration", &error.path, error.problem.to_string(), locate(error))
    };
    errors.iter().map(finding).collect()
}

/// The value that a mistake is in, or its name: where that is unknown, or where the value takes several lines.
fn location(origin: Option<&Origin>, error: &ConfigError, file: &str) -> Option<Range<usize>> {
    let origin = origin?;
    let takes_lines = file.get(origin.value.clone()).is_some_and(|text| text.trim_end().contains('\n'));
    let name = origin.name.clone().filter(|_| takes_lines || is_about_name(error));
    Some(name.unwrap_or(origin.value.clone()))
}

/// What is wrong with the documents of a file themselves, for the program that reads the configurations found in them.
pub(crate) fn flaws<'d>(documents: &'d [Document], found: &[Located<'_>]) -> impl Iterator<Item = Finding> + use<'d> {
    let reader = found.iter().map(|found| found.deployment.reader).find(|reader| *reader != Reader::Any);
    let reader = reader.unwrap_or(Reader::Any);
    documents.iter().flat_map(|document| &document.flaws).filter_map(move |flaw| {
        let severity = reader.severity(flaw.divergent)?;
        Some(Finding { severity, ..Finding::error("yaml", "", &flaw.message, flaw.span.clone()) })
    })
}

/// What readers of YAML read differently.
fn collect_ambiguities(node: &Node, path: &str, reader: Reader, errors: &mut Vec<Finding>) {
    let mut add = |ambiguity: &Option<Ambiguity>, span: &Range<usize>| {
        let Some(ambiguity) = ambiguity else { return };
        let Some(severity) = reader.severity(ambiguity.divergent) else { return };
        errors.push(Finding { severity, ..Finding::error("yaml", path, &ambiguity.message, span.clone()) });
    };
    add(&node.ambiguity, &node.span);
    for member in node.members() {
        add(&member.ambiguity, &member.name_span);
    }
    for (index, element) in node.elements().iter().enumerate() {
        collect_ambiguities(element, &format!("{path}[{index}]"), reader, errors);
    }
    for member in node.members() {
        collect_ambiguities(&member.value, &member_path(path, &member.name), reader, errors);
    }
}
