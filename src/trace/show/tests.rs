use super::table::Look;
use super::{Selected, json, table};
use crate::report::style::Paint;
use crate::report::text::width;
use crate::runner::select::Filter;
use crate::trace::timeline::Timeline;
use crate::trace::timeline::samples::{header, records};

fn sample() -> Timeline {
    Timeline::new(header(), records()).unwrap()
}

fn shown(selected: &Selected, columns: Option<usize>, full: bool) -> String {
    let mut out = Vec::new();
    let look = Look { paint: Paint { colour: false }, columns, full };
    table::write(&mut out, &sample(), selected, &look).unwrap();
    String::from_utf8(out).unwrap()
}

fn lines(selected: &Selected) -> Vec<serde_json::Value> {
    let mut out = Vec::new();
    json::write(&mut out, &sample(), selected).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_table_has_everything_in_order() {
    insta::assert_snapshot!(shown(&Selected::default(), None, false));
}

#[test]
fn the_table_fits_a_terminal() {
    let narrow = shown(&Selected::default(), Some(100), false);
    assert!(narrow.lines().all(|line| width(line) <= 100), "{narrow}");
    insta::assert_snapshot!(narrow);
}

#[test]
fn parts_can_be_chosen() {
    let only = |selected: Selected| {
        shown(&selected, None, false).lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
    };
    let parts = [
        only(Selected { test: Some("fail".into()), ..Selected::default() }),
        only(Selected { task: Some("main/1".into()), ..Selected::default() }),
        only(Selected { vm: Some("a/w1".into()), ..Selected::default() }),
        only(Selected { grep: Some(Filter::parse("/sleep [0-9]/").unwrap()), ..Selected::default() }),
        only(Selected { grep: Some(Filter::parse("nowhere").unwrap()), ..Selected::default() }),
    ];
    insta::assert_snapshot!(parts.join("=================\n"));
}

#[test]
fn arguments_and_replies_are_shown_whole() {
    let selected = Selected { grep: Some(Filter::parse("/nope").unwrap()), ..Selected::default() };
    insta::assert_snapshot!(shown(&selected, None, true));
}

#[test]
fn tools_get_every_field() {
    let all = lines(&Selected::default());
    let exchanges: Vec<_> = all.iter().filter(|line| line["type"] == "exchange").collect();
    assert_eq!(exchanges.len(), sample().exchanges.len());
    assert_eq!(all[0]["header"]["file"], "a.test.lua");
    assert_eq!(all[1]["type"], "source");
    let write = exchanges[9];
    assert_eq!(write["arguments"]["data"]["base64"], "/w==");
    assert_eq!((write["task"].as_str(), write["line"].as_u64()), (Some("main/1"), Some(13)));
    assert!(write["result"].is_null() && write["abandoned_ns"].is_u64());
    let failed = all.iter().find(|line| line["verdict"]["is"] == "failed").unwrap();
    assert_eq!((failed["name"].as_str(), failed["verdict"]["line"].as_u64()), (Some("fails"), Some(17)));
    insta::assert_snapshot!(exchanges.iter().take(3).map(|line| format!("{line:#}\n")).collect::<String>());
    let one = lines(&Selected { task: Some("main/1".into()), ..Selected::default() });
    assert_eq!(one.iter().filter(|line| line["type"] == "exchange").count(), 1);
}
