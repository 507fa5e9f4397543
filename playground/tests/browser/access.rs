//! The page is there for everybody: with names for those who do not see it, on narrow screens, light and dark.

use serde_json::{Value, json};

use crate::page::Page;

#[test]
fn whatever_can_be_used_has_a_name() {
    let Some(page) = Page::open() else { return };
    let tree = page.devtools("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("there are nodes");
    let of_role = |roles: &[&str]| {
        let used = nodes.iter().filter(|node| roles.iter().any(|role| node["role"]["value"] == *role));
        used.filter(|node| node["ignored"] == false).map(|node| node["name"]["value"].clone()).collect::<Vec<Value>>()
    };
    let names = of_role(&["textbox", "combobox", "button", "searchbox", "menuitem"]);
    for expected in ["Example", "Configuration", "Method", "URL or path", "Token", "Time", "Now"] {
        assert!(names.iter().any(|name| name == expected), "{expected}: {names:?}");
    }
    assert!(names.iter().all(|name| name.as_str().is_some_and(|name| !name.is_empty())), "{names:?}");
    assert_eq!(of_role(&["region"]).len(), 3, "each part of the page is a region with a name");
    let live = page.run("return document.getElementById('decision').ariaLive");
    assert_eq!(live, json!("polite"), "a new decision is read out");
}

#[test]
fn fields_are_reached_by_the_keyboard_in_the_order_of_the_page() {
    let Some(page) = Page::open() else { return };
    page.run("document.getElementById('example').focus()");
    let mut reached = Vec::new();
    for _ in 0..10 {
        page.type_here("\u{e004}");
        reached.push(page.run("return document.activeElement.id"));
    }
    assert_eq!(
        reached,
        ["configuration", "method", "url", "headers", "token", "", "", "", "time", "now"].map(Value::from)
    );
}

#[test]
fn it_fits_on_narrow_screens() {
    let Some(page) = Page::open() else { return };
    for width in [320, 600, 1000, 1600] {
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        page.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        page.wait_for_script("the width", &format!("return innerWidth === {width}"));
        assert_eq!(page.run(overflow), 0, "at {width}");
    }
}

#[test]
fn it_is_light_or_dark_as_people_prefer_and_can_be_read() {
    let Some(page) = Page::open() else { return };
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        page.devtools("Emulation.setEmulatedMedia", &features);
        grounds.push(luminance(&page.run("return getComputedStyle(document.body).backgroundColor")));
        let pairs = page.run(
            "return [['body', 'body'], ['.hint', 'section'], ['.request label', 'section'], ['.verdict', '.verdict'], ['button', 'button']]
            .map(([text, ground]) => [text, getComputedStyle(document.querySelector(text)).color,
                getComputedStyle(document.querySelector(ground)).backgroundColor])",
        );
        for pair in pairs.as_array().expect("there are some") {
            let (one, other) = (luminance(&pair[1]), luminance(&pair[2]));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 4.5, "{scheme}: {pair}: {contrast}");
        }
    }
    assert!(grounds[0] > 0.8 && grounds[1] < 0.05, "{grounds:?}");
}

/// The relative luminance of `rgb(…)` (WCAG 2.2).
fn luminance(colour: &Value) -> f64 {
    let text = colour.as_str().unwrap_or_default();
    let parts = text.trim_start_matches("rgb(").trim_end_matches(')').split(", ");
    let linear = parts.map(|part| {
        let value = part.parse::<f64>().unwrap_or_else(|_| panic!("`{text}` is no opaque colour")) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    linear.zip([0.2126, 0.7152, 0.0722]).map(|(value, weight)| value * weight).sum()
}
