//! Makes the page: one file with its styles, its scripts and the engine in it, whose policy allows
//! no other script and no request.
//!
//! `page FOLDER MODULE OUT`: the files that `FOLDER/index.html` names replace their lines, in the order of its lines.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// What comes before and after a name, and what goes around the text of the file of that name.
const KINDS: [(&str, &str, &str, &str); 3] = [
    (r#"<link rel="stylesheet" href=""#, r#"">"#, "<style>", "</style>"),
    (r#"<script src=""#, r#""></script>"#, "<script>", "</script>"),
    (r#"<script type="text/plain" src=""#, r#""></script>"#, r#"<script type="text/plain" id="NAME">"#, "</script>"),
];
/// The placeholder of the module.
const MODULE: &str = "{{module}}";
/// The placeholder of the policy.
const POLICY: &str = "{{policy}}";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, module, out] = arguments.as_slice() else {
        eprintln!("page: expected FOLDER MODULE OUT");
        return ExitCode::from(2);
    };
    match make(folder, module).and_then(|page| Ok(fs::write(out, page)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("page: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path, module: &Path) -> Result<String, Box<dyn Error>> {
    let mut policy = Policy::default();
    let mut page = String::new();
    for line in read(&folder.join("index.html"))?.lines() {
        match named(line) {
            Some((name, opening, closing)) => {
                let text = read(&folder.join(name))?;
                if text.contains("</s") {
                    return Err(format!("{name}: `</s` would end what it is put into").into());
                }
                policy.allow(opening, &text);
                page.push_str(&opening.replace("NAME", name));
                page.push_str(&text);
                page.push_str(closing);
            }
            None => page.push_str(line.trim_start()),
        }
        page.push('\n');
    }
    let module = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    Ok(page.replace(POLICY, &policy.text()).replace(MODULE, &STANDARD.encode(module)))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The file that a line names, and what goes around its text.
fn named(line: &str) -> Option<(&str, &'static str, &'static str)> {
    KINDS.iter().find_map(|(before, after, opening, closing)| {
        let name = line.trim().strip_prefix(before)?.strip_suffix(after)?;
        Some((name, *opening, *closing))
    })
}

/// The page's Content-Security-Policy: the scripts and styles that it was made with, by their hashes.
#[derive(Default)]
struct Policy {
    scripts: Vec<String>,
    styles: Vec<String>,
}

impl Policy {
    fn allow(&mut self, opening: &str, text: &str) {
        let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        match opening {
            "<script>" => self.scripts.push(hash),
            "<style>" => self.styles.push(hash),
            // Data: nothing runs it.
            _ => {}
        }
    }

    fn text(&self) -> String {
        let (scripts, styles) = (self.scripts.join(" "), self.styles.join(" "));
        format!(
            "default-src 'none'; script-src 'wasm-unsafe-eval' {scripts}; style-src {styles}; img-src data:; \
             base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )
    }
}
