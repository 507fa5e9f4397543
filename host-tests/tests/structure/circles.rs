//! No file of a crate needs another that needs it: who reads one need not read both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};
use test_support::workspace;

const CRATES: [&str; 23] = [
    "abi",
    "aws",
    "bench",
    "cli",
    "driver",
    "dynamic-module",
    "dynamic-module/abi",
    "filter",
    "gate",
    "host-tests/browser",
    "host-tests/envoy",
    "host-tests/guest",
    "host-tests/signature-probe",
    "host-tests/strict-host",
    "host-tests/support",
    "host-tests/wasm-runner",
    "inspect",
    "jose",
    "oauth",
    "playground",
    "ship",
    "testbed",
    "vectors",
];

/// The names of modules that lead to one.
type Name = Vec<String>;

/// The names that a file gives to others' items, those that it hands on, and what it uses; paths from the root of the
/// crate.
#[derive(Default)]
struct Module {
    imports: BTreeMap<String, Name>,
    reexports: BTreeMap<String, Name>,
    uses: BTreeSet<Name>,
}

#[test]
fn no_file_of_a_crate_leads_back_to_itself() {
    let found: Vec<_> = CRATES.iter().flat_map(|name| circles(&workspace().join(name).join("src"))).collect();
    assert!(found.is_empty(), "files in circles: {found:#?}");
}

#[test]
fn circles_are_found() {
    let folder = tempfile::tempdir().expect("is made");
    for (name, text) in [
        ("lib.rs", "mod a; mod b; mod c; pub use self::a::A;"),
        ("a.rs", "use crate::b; pub struct A; fn f() { b::g() }"),
        ("b.rs", "mod inner; pub use inner::g; #[cfg(test)] mod tests { use crate::c::C; }"),
        ("b/inner.rs", "use crate::A; pub fn g() {}"),
        ("c.rs", "use crate::b::g; pub struct C;"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("is in a folder")).expect("is made");
        fs::write(path, text).expect("is written");
    }
    let found: Vec<_> = circles(folder.path()).into_iter().map(|circle| circle.join(" ")).collect();
    assert_eq!(found, ["a b::inner"]);
}

/// The files that lead back to themselves, those of one circle together.
fn circles(folder: &Path) -> Vec<Vec<String>> {
    let modules = read(folder);
    let edges: BTreeMap<&Name, BTreeSet<Name>> = modules
        .iter()
        .map(|(name, module)| {
            let targets = module.uses.iter().map(|path| resolve(&modules, path, 0));
            (name, targets.filter(|target| target != name).collect())
        })
        .collect();
    let reach = |from: &Name| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(name) = open.pop() {
            open.extend(edges.get(name).into_iter().flatten().filter(|next| seen.insert((*next).clone())));
        }
        seen
    };
    let reached: BTreeMap<&Name, BTreeSet<Name>> = modules.keys().map(|name| (name, reach(name))).collect();
    let mut circles = BTreeSet::new();
    for (name, targets) in &reached {
        if targets.contains(*name) {
            let back = |target: &&Name| reached.get(*target).is_some_and(|reached| reached.contains(*name));
            circles.insert(targets.iter().filter(back).map(|name| name.join("::")).collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}

/// The file that a path leads to: through what modules make known under other names.
fn resolve(modules: &BTreeMap<Name, Module>, path: &Name, depth: usize) -> Name {
    let inside = (0..=path.len()).rev().map(|length| &path[..length]).find(|name| modules.contains_key(*name));
    let name = inside.unwrap_or_default().to_vec();
    let alias = path.get(name.len()).and_then(|next| modules.get(&name)?.reexports.get(next));
    match alias {
        Some(target) if depth < 16 => {
            let rest = path.iter().skip(name.len() + 1).cloned();
            resolve(modules, &target.iter().cloned().chain(rest).collect(), depth + 1)
        }
        _ => name,
    }
}

fn read(folder: &Path) -> BTreeMap<Name, Module> {
    let files = files(folder);
    let name = |path: &PathBuf| {
        let path = path.strip_prefix(folder).expect("is inside").with_extension("");
        let mut name: Name = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        name.pop_if(|last| ["lib", "main", "mod"].contains(&last.as_str()));
        name
    };
    let names: BTreeSet<Name> = files.iter().map(name).collect();
    let mut modules = BTreeMap::new();
    for path in &files {
        let text = fs::read_to_string(path).expect("is text");
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = Reader { names: &names, own: name(path), module: Module::default() };
        reader.visit_file(&file);
        modules.insert(reader.own, reader.module);
    }
    modules
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("is readable").path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

struct Reader<'n> {
    names: &'n BTreeSet<Name>,
    own: Name,
    module: Module,
}

impl Reader<'_> {
    /// A path from the root of the crate; `None` where it leads out of it.
    fn absolute(&self, path: &[String]) -> Option<Name> {
        let mut base = self.own.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                base.pop();
                rest = rest.get(1..)?;
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = rest.get(1..)?;
                }
                base.extend_from_slice(rest);
                return Some(base);
            }
            first => {
                let child: Name = base.iter().cloned().chain([first.to_string()]).collect();
                if !self.names.contains(&child) {
                    return None;
                }
                base.extend_from_slice(rest);
                return Some(base);
            }
        }
        base.extend_from_slice(rest.get(1..)?);
        Some(base)
    }

    fn read_use(&mut self, tree: &UseTree, prefix: &[String], is_reexport: bool) {
        let join = |part: &syn::Ident| prefix.iter().cloned().chain([part.to_string()]).collect::<Vec<_>>();
        let (path, name) = match tree {
            UseTree::Path(path) => return self.read_use(&path.tree, &join(&path.ident), is_reexport),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.read_use(tree, prefix, is_reexport));
            }
            UseTree::Glob(_) => (prefix.to_vec(), String::from("*")),
            UseTree::Name(name) if name.ident == "self" => {
                (prefix.to_vec(), prefix.last().cloned().unwrap_or_default())
            }
            UseTree::Name(name) => (join(&name.ident), name.ident.to_string()),
            UseTree::Rename(rename) => (join(&rename.ident), rename.rename.to_string()),
        };
        let Some(path) = self.absolute(&path) else { return };
        // What a module only hands on, it does not need.
        match is_reexport {
            true => drop(self.module.reexports.insert(name.clone(), path.clone())),
            false => drop(self.module.uses.insert(path.clone())),
        }
        self.module.imports.insert(name, path);
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if !attributes(item).iter().any(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.read_use(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
    }

    /// Macros are read as text: a name in it is a use.
    fn visit_macro(&mut self, item: &'a syn::Macro) {
        let text = item.tokens.to_string();
        let words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
        let used: Vec<_> = words.filter_map(|word| self.module.imports.get(word)).cloned().collect();
        self.module.uses.extend(used);
        visit::visit_macro(self, item);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let imported = parts.first().and_then(|first| self.module.imports.get(first));
        let behind = parts.iter().skip(1).cloned();
        let imported = imported.map(|path| path.iter().cloned().chain(behind).collect());
        self.module.uses.extend(imported.or_else(|| if parts.len() > 1 { self.absolute(&parts) } else { None }));
        visit::visit_path(self, path);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attribute: &Attribute) -> bool {
    use syn::__private::ToTokens as _;
    attribute.path().is_ident("cfg") && attribute.to_token_stream().to_string().contains("test")
}
