//! Figures of ours beside what peers take for the same.

// Layer 3: Internal module imports
use super::figure::Figure;

/// A figure of ours beside a peer's.
struct Beside {
    key: &'static str,
    ours: &'static str,
    peer: &'static str,
    is_speed_up: bool,
}

const BESIDES: [Beside; 3] = [
    Beside {
        key: "extism_call_1k",
        ours: "call_sync_1k",
        peer: "extism_call_1k",
        is_speed_up: false,
    },
    // A whole ask, beside a call without a mailbox.
    Beside {
        key: "ask_vs_extism",
        ours: "ask_1k",
        peer: "extism_call_1k",
        is_speed_up: true,
    },
    Beside {
        key: "ask_vs_native",
        ours: "ask_1k",
        peer: "kameo_ask_1k",
        is_speed_up: false,
    },
];

/// Those of `figures` again for which there is a peer's, with the peer as their floor.
pub(crate) fn besides(figures: &[Figure], peers: &[Figure]) -> Vec<Figure> {
    BESIDES
        .iter()
        .filter_map(|beside| {
            let ours = figures.iter().find(|it| it.key == beside.ours)?;
            let peer = peers.iter().find(|it| it.key == beside.peer)?;
            Some(Figure {
                key: beside.key.to_owned(),
                unit: ours.unit.clone(),
                ours: ours.ours,
                floor: Some(peer.ours),
                is_speed_up: beside.is_speed_up,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_ask_stands_beside_each_peer() {
        let figure = |key: &str, median: f64| -> Figure {
            let spread = json!({ "median": median, "p10": median, "p90": median });
            let figure = json!({ "key": key, "unit": "ns", "ours": spread, "floor": null });
            serde_json::from_value(figure).unwrap()
        };
        let figures = [figure("ask_1k", 800.0), figure("load_cached", 9.0)];
        let peers = [
            figure("extism_call_1k", 4_000.0),
            figure("kameo_ask_1k", 500.0),
        ];
        let besides: Vec<_> = besides(&figures, &peers)
            .iter()
            .map(|it| (it.key.clone(), it.ratio()))
            .collect();
        assert_eq!(
            besides,
            [
                ("ask_vs_extism".to_owned(), Some(5.0)),
                ("ask_vs_native".to_owned(), Some(1.6)),
            ]
        );
    }
}
