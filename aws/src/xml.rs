//! A small part of XML 1.0: elements and their texts, as STS writes them.
//!
//! What other readers could understand otherwise is an error: document types, CDATA, comments, processing
//! instructions, prefixes, attributes other than the namespace of the root. References (`&amp;`) are not resolved: a
//! text that has one is no value.

/// How deep elements may nest.
const MOST_DEPTH: usize = 8;
/// How many elements there may be.
const MOST_ELEMENTS: usize = 64;

/// An element: what it contains is elements, or a text.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Element<'t> {
    pub(crate) name: &'t str,
    pub(crate) children: Vec<Element<'t>>,
    text: &'t str,
}

impl<'t> Element<'t> {
    /// The one child of that name.
    pub(crate) fn one(&self, name: &str) -> Option<&Self> {
        let mut found = self.children.iter().filter(|child| child.name == name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The text of the one child of that name, if it is made of visible ASCII characters.
    pub(crate) fn value(&self, name: &str) -> Option<&'t str> {
        let child = self.one(name)?;
        let is_value = !child.text.is_empty() && child.text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'&');
        is_value.then_some(child.text)
    }
}

/// Reads a document whose root is in `namespace`.
pub(crate) fn read<'t>(text: &'t str, namespace: &str) -> Option<Element<'t>> {
    let mut rest = text;
    if let Some(behind) = text.strip_prefix("<?xml ") {
        rest = behind.split_once("?>").filter(|(declaration, _)| !declaration.contains(['<', '>']))?.1;
    }
    // The elements that are open, the outermost first.
    let mut open: Vec<Element<'t>> = Vec::new();
    let mut elements = 0_usize;
    loop {
        let (text, behind) = rest.split_once('<')?;
        let (tag, behind) = behind.split_once('>')?;
        rest = behind;
        let is_end = tag.starts_with('/');
        read_text(text, is_end, open.last_mut())?;
        let closed = if let Some(name) = tag.strip_prefix('/') {
            open.pop().filter(|element| element.name == name)?
        } else {
            elements = elements.checked_add(1).filter(|&elements| elements <= MOST_ELEMENTS)?;
            let (element, is_empty) = start(tag, open.is_empty().then_some(namespace))?;
            if !is_empty {
                open.push(element);
                (open.len() <= MOST_DEPTH).then_some(())?;
                continue;
            }
            element
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => return is_blank(rest).then_some(closed),
        }
    }
}

/// What stands in front of a tag: the text of an element that ends here and has no children, or blanks.
fn read_text<'t>(text: &'t str, is_end: bool, parent: Option<&mut Element<'t>>) -> Option<()> {
    match parent {
        Some(parent) if is_end && parent.children.is_empty() => {
            let is_text = are_references(text) && !text.contains(|found: char| found.is_control() && !is_space(found));
            parent.text = text;
            is_text.then_some(())
        }
        _ => is_blank(text).then_some(()),
    }
}

/// Whether each `&` in a text starts a reference.
fn are_references(text: &str) -> bool {
    text.split('&').skip(1).all(|behind| {
        let name = behind.split_once(';').map_or("", |(name, _)| name);
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#')
    })
}

/// A start-tag, and whether it is the end as well.
fn start<'t>(tag: &'t str, namespace: Option<&str>) -> Option<(Element<'t>, bool)> {
    let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let name = match namespace {
        None => tag.trim_end_matches(is_space),
        Some(namespace) => {
            let (name, attribute) = tag.split_once(is_space)?;
            let quoted = attribute.trim_matches(is_space).strip_prefix("xmlns=")?;
            let is_it = ['"', '\'']
                .iter()
                .any(|quote| quoted.strip_prefix(*quote).and_then(|rest| rest.strip_suffix(*quote)) == Some(namespace));
            is_it.then_some(name)?
        }
    };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then(|| (Element { name, ..Element::default() }, is_empty))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// White space of XML (§2.3).
fn is_space(found: char) -> bool {
    matches!(found, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn reads(text: &str) -> bool {
        read(text, "urn:n").is_some()
    }

    #[test]
    fn elements_have_children_or_a_text() {
        let text =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<A xmlns=\"urn:n\">\n <B>b</B>\r\n <C><D/></C >\n</A>\n";
        assert!(!reads(text), "an end-tag has its name alone");
        let text = text.replace("</C >", "</C>");
        let root = read(&text, "urn:n").expect("is read");
        assert_eq!((root.name, root.value("B"), root.value("C")), ("A", Some("b"), None));
        assert_eq!(root.one("C").and_then(|found| found.one("D")).map(|found| found.text), Some(""));
    }

    #[test]
    fn what_is_there_twice_is_nothing() {
        let root = read("<A xmlns='urn:n'><B>1</B><B>1</B></A>", "urn:n").expect("is read");
        assert_eq!((root.one("B"), root.value("B")), (None, None));
    }

    #[test]
    fn references_are_no_values() {
        let root = read("<A xmlns='urn:n'><B>a&amp;b</B><C>&#x41;</C></A>", "urn:n").expect("is read");
        assert_eq!((root.value("B"), root.value("C")), (None, None));
        assert!(!reads("<A xmlns='urn:n'>a & b</A>") && !reads("<A xmlns='urn:n'>&;</A>"));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for inside in [
            "<!-- c -->",
            "<B><!-- c -->b</B>",
            "<B>b<!-- > --></B>",
            "<B><![CDATA[b]]></B>",
            "<?pi x?>",
            "<B>b<?pi x?></B>",
            "<B a='1'>b</B>",
            "<B xmlns='urn:n'>b</B>",
            "<n:B>b</n:B>",
            "<B>b",
            "<B>b</C>",
            "</B>",
            "<B>b</B></A><A>",
            "text<B>b</B>",
            "<B>b</B>text",
            "<B>b<C/></B>",
            "<B><C/>b</B>",
            "<>b</>",
            "<B/ >",
            "< B>b</B>",
            "<B\u{a0}>b</B>",
            "<B>\u{0}</B>",
            "<\u{e9}/>",
        ] {
            assert!(!reads(&format!("<A xmlns='urn:n'>{inside}</A>")), "{inside}");
        }
        for text in [
            "",
            "A",
            "<A/>",
            "<A>b</A>",
            "<A xmlns='urn:m'/>",
            "<A xmlns='urn:n\"/>",
            "<A xmlns='urn:n' b='c'/>",
            "<a:A xmlns:a='urn:n'/>",
            "<!DOCTYPE A [<!ENTITY e 'x'>]><A xmlns='urn:n'/>",
            "<?xml version='1.0'?><!DOCTYPE A><A xmlns='urn:n'/>",
            " <?xml version='1.0'?><A xmlns='urn:n'/>",
            "<?xml <A xmlns='urn:n'/> ?><A xmlns='urn:n'/>",
            "<A xmlns='urn:n'/><A xmlns='urn:n'/>",
            "<A xmlns='urn:n'/>x",
            "\u{feff}<A xmlns='urn:n'/>",
        ] {
            assert!(!reads(text), "{text}");
        }
        assert!(reads("<A xmlns='urn:n'/>"));
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let nested = |depth: usize| format!("<A xmlns='urn:n'>{}{}</A>", "<B>".repeat(depth), "</B>".repeat(depth));
        assert!(reads(&nested(MOST_DEPTH - 1)) && !reads(&nested(MOST_DEPTH)));
        let many = |number: usize| format!("<A xmlns='urn:n'>{}</A>", "<B/>".repeat(number));
        assert!(reads(&many(MOST_ELEMENTS - 1)) && !reads(&many(MOST_ELEMENTS)));
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn nothing_makes_it_panic(text in "(<|>|/|A|B|&|;|'|xmlns=|urn:n| |\\?|!|-|\u{e9}){0,60}") {
                let _ = super::read(&text, "urn:n");
            }
        }
    }
}
