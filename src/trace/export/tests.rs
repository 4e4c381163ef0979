use std::collections::BTreeMap;

use serde_json::Value;

use super::lanes::{processes, rows};
use super::{html, perfetto};
use crate::trace::record::Record;
use crate::trace::timeline::Timeline;
use crate::trace::timeline::samples::{begun, header, ran, records, run};

fn sample() -> Timeline {
    Timeline::new(header(), records()).unwrap()
}

fn page(timeline: &Timeline) -> String {
    let mut out = Vec::new();
    html::write(&mut out, timeline).unwrap();
    String::from_utf8(out).unwrap()
}

/// The data of a page, as a browser finds it.
fn embedded(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn events(timeline: &Timeline) -> Vec<Value> {
    let mut out = Vec::new();
    perfetto::write(&mut out, timeline).unwrap();
    let whole: Value = serde_json::from_slice(&out).unwrap();
    whole["traceEvents"].as_array().unwrap().clone()
}

#[test]
fn the_page_holds_everything_and_needs_nothing() {
    let timeline = sample();
    let page = page(&timeline);
    for word in
        ["http:", "https:", "//cdn", " src=", "url(", "@import", "fetch(", "XMLHttpRequest", "import(", "WebSocket"]
    {
        assert!(!page.contains(word), "the page has `{word}`");
    }
    assert_eq!(page.matches(" href=").count(), 1, "only the empty icon");
    assert!(!page.contains("{{"), "a place was left open");
    let data = embedded(&page);
    let exchanges = data["exchanges"].as_array().unwrap();
    assert_eq!(exchanges.len(), timeline.exchanges.len());
    for (exchange, shown) in timeline.exchanges.iter().zip(exchanges) {
        assert_eq!(shown["seq"], exchange.seq);
        assert_eq!(shown["what"].as_str(), Some(exchange.ask.as_ref().describe().as_str()));
        assert!(shown.as_object().unwrap().contains_key("arguments"));
        assert_eq!(shown["result"].is_null(), exchange.ended.is_none());
    }
    assert_eq!(data["sources"][0]["text"].as_str(), Some(timeline.sources[0].text.as_str()));
    assert_eq!(data["tests"][1]["verdict"]["message"], "because");
    assert_eq!(data["processes"].as_array().unwrap().len(), 1);
    // The event that a record stands for has the number of a record, and a log its text.
    assert!(data["events"].as_array().unwrap().iter().any(|event| event["outcome"] == "here"));
}

#[test]
fn nothing_that_a_guest_says_leaves_its_place_in_the_page() {
    let hostile = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} {{code}} & \"' \\u003c";
    let mut all = records();
    all.insert(13, Record::Log(hostile.to_owned()));
    let mut named = header();
    named.file = hostile.to_owned();
    let timeline = Timeline::new(named, all).unwrap();
    let page = page(&timeline);
    assert_eq!(page.matches("</script").count(), 2, "that of the data and that of the code");
    assert_eq!(page.matches("<script").count(), 2);
    assert!(!page.split_once("id=\"data\"").unwrap().1.contains('\u{2028}'));
    let data = embedded(&page);
    assert_eq!(data["file"], hostile);
    assert!(data["events"].as_array().unwrap().iter().any(|event| event["outcome"] == hostile));
    assert_eq!(page.matches("&lt;/script&gt;&lt;script&gt;alert(1)").count(), 2, "the title and the heading");
}

#[test]
fn texts_that_are_too_long_are_cut_and_said_to_be() {
    let mut all = records();
    let at = all.iter().position(|record| matches!(record, Record::Begun { .. })).unwrap();
    all[at] = begun(3, run(&"é".repeat(50_000)));
    all[at + 3] = Record::Ended { back: 0, result: ran(0, &"y".repeat(1 << 20)) };
    let page = page(&Timeline::new(header(), all).unwrap());
    assert!(page.len() < 200_000, "{} bytes", page.len());
    let data = embedded(&page);
    let command = data["exchanges"][1]["arguments"]["spec"]["command"]["Shell"].as_str().unwrap();
    assert!(command.ends_with("… (100000 bytes in all)"), "{}", &command[command.len() - 40..]);
}

#[test]
fn spans_of_a_track_lie_beside_each_other() {
    let timeline = sample();
    let events = events(&timeline);
    let mut tracks: BTreeMap<(u64, u64), Vec<(f64, f64)>> = BTreeMap::new();
    let mut seen = Vec::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let (begin, long) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
        tracks
            .entry((event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap()))
            .or_default()
            .push((begin, begin + long));
        seen.extend(event["args"]["seq"].as_u64());
    }
    for (track, mut spans) in tracks {
        spans.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1e-6), "{track:?}: {spans:?}");
    }
    // Once on the line of its VM, and once on that of its task.
    for exchange in &timeline.exchanges {
        assert_eq!(seen.iter().filter(|seq| **seq == exchange.seq).count(), 2, "#{}", exchange.seq);
    }
    let names: Vec<&str> =
        events.iter().filter(|event| event["ph"] == "M").filter_map(|event| event["args"]["name"].as_str()).collect();
    for name in
        ["tests and tasks", "task main", "task main/1", "vm a", "main line", "worker w1", "programs written in Lua"]
    {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("pid 12 ")), "{names:?}");
    let flows: Vec<&Value> = events.iter().filter(|event| event["cat"] == "process" && event["ph"] != "X").collect();
    assert_eq!(flows.len(), 2);
    assert!(flows[0]["ts"].as_f64() <= flows[1]["ts"].as_f64());
    assert!(events.iter().any(|event| event["ph"] == "i" && event["name"] == "log: here"));
}

#[test]
fn processes_end_where_the_guest_says() {
    let processes = processes(&sample());
    let [sleep] = processes.as_slice() else { panic!("{processes:?}") };
    assert_eq!((sleep.pid, sleep.spawn, sleep.wait), (12, 3, Some(5)));
    assert_eq!(sleep.ended - sleep.started, 5, "as long as it ran, not until the test asked");
    assert_eq!(sleep.status.as_deref(), Some("exit 0"));
    assert_eq!(rows([(0, 5), (1, 2), (2, 3), (5, 6), (5, 5)]), [0, 1, 1, 0, 1]);
}
