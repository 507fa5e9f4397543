//! Writing HTML.

/// Markup: constants, and texts that are escaped. There is no other way to add to it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Html(String);

impl Html {
    /// With markup that is constant.
    pub(super) fn markup(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// With a text, or the value of an attribute in double quotes.
    pub(super) fn text(mut self, text: &str) -> Self {
        for character in text.chars() {
            match character {
                '"' => self.0.push_str("&quot;"),
                '&' => self.0.push_str("&amp;"),
                '\'' => self.0.push_str("&#39;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                // HTML has no NUL.
                '\0' => self.0.push(char::REPLACEMENT_CHARACTER),
                _ => self.0.push(character),
            }
        }
        self
    }

    /// With other markup.
    pub(super) fn html(mut self, html: &Self) -> Self {
        self.0.push_str(&html.0);
        self
    }

    /// With a link to `href` that is called `text`, in a paragraph of its own.
    pub(super) fn link(self, href: &str, text: &'static str) -> Self {
        self.markup("<p><a href=\"").text(href).markup("\">").markup(text).markup("</a></p>\n")
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn texts_and_attributes_stay_what_they_are() {
        let escaped = |text| Html::default().text(text).into_text();
        assert_eq!(escaped("a b/c?d=e;\u{e9}"), "a b/c?d=e;\u{e9}");
        assert_eq!(escaped("&amp;<b>\"'\0"), "&amp;amp;&lt;b&gt;&quot;&#39;\u{fffd}");
        assert_eq!(
            Html::default().link("\" onclick=\"x", "here").into_text(),
            "<p><a href=\"&quot; onclick=&quot;x\">here</a></p>\n"
        );
    }

    #[cfg(not(target_family = "wasm"))]
    proptest::proptest! {
        #[test]
        fn no_text_holds_markup(text in "[<>&\"'a;#\\x00]{0,20}") {
            let escaped = Html::default().text(&text).into_text();
            proptest::prop_assert!(!escaped.contains(['<', '>', '"', '\'', '\0']));
            let named = ["&quot;", "&#39;", "&lt;", "&gt;", "&amp;"];
            let read = named.iter().zip(["\"", "'", "<", ">", "&"]).fold(escaped, |text, (from, to)| text.replace(from, to));
            proptest::prop_assert_eq!(read, text.replace('\0', "\u{fffd}"));
        }
    }
}
