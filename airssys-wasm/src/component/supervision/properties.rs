//! Random forests and random failures, against the model.

// Layer 1: Standard library imports
use std::collections::BTreeSet;

// Layer 2: Third-party crate imports
use proptest::prelude::{
    Just, TestCaseError, any, prop, prop_assert, prop_assert_eq, prop_assert_ne, prop_oneof,
    proptest,
};
use proptest::strategy::Strategy as Generator;

// Layer 3: Internal module imports
use crate::component::supervision::action::{Action, Scope};
use crate::component::supervision::group::{GroupSettings, Strategy};
use crate::component::supervision::intensity::Intensity;
use crate::component::supervision::lone::LoneActors;
use crate::component::supervision::member::Member;
use crate::component::supervision::model::{Actors, Model, Outcome};
use crate::component::supervision::restart::{Failure, Restart};
use crate::component::supervision::status::Standing;
use crate::component::supervision::supervisor::{NotResumed, Supervisor};
use crate::core::component::id::ComponentId;

fn actor(text: &str) -> ComponentId {
    text.parse().unwrap()
}

fn member(text: &str) -> Member {
    text.parse().unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    Fail(prop::sample::Index, Restart, Failure),
    End(prop::sample::Index),
    Resume(prop::sample::Index),
}

const COMPONENTS: [&str; 5] = ["a/b", "a/c", "a/d", "a/e", "a/f"];
const INSTANCES: [&str; 3] = ["x", "y", "z"];

fn steps() -> impl Generator<Value = Vec<(u64, Step)>> {
    let policy = prop_oneof![
        20 => Just(Restart::Permanent),
        3 => Just(Restart::Transient),
        1 => Just(Restart::Temporary),
    ];
    let failure = prop_oneof![4 => Just(Failure::Crashed), 1 => Just(Failure::RefusedToStart)];
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        20 => (index(), policy, failure).prop_map(|(i, p, f)| Step::Fail(i, p, f)),
        1 => index().prop_map(Step::End),
        3 => index().prop_map(Step::Resume),
    ];
    prop::collection::vec((0u64..40, step), 1..80)
}

/// Groups of which each is listed by one before it or by none, and components and
/// single actors spread over them, in any order. A group left empty is dropped.
fn forests() -> impl Generator<Value = Vec<GroupSettings>> {
    let strategy = prop_oneof![
        Just(Strategy::OneForOne),
        Just(Strategy::OneForAll),
        Just(Strategy::RestForOne),
    ];
    let settings = (strategy, 0u32..4, 1u64..200);
    let mut texts: Vec<String> = COMPONENTS.map(str::to_owned).to_vec();
    texts.extend(actors().into_iter().step_by(2));
    let some = |percent| prop::option::weighted(percent, 0usize..100);
    (
        prop::collection::vec((settings, some(0.7)), 0..7),
        prop::collection::vec(some(0.6), texts.len()),
        Just(texts).prop_shuffle(),
    )
        .prop_map(|(groups, homes, texts)| {
            let mut settings: Vec<GroupSettings> = Vec::new();
            for (index, ((strategy, max_restarts, window_ms), _)) in groups.iter().enumerate() {
                settings.push(GroupSettings {
                    window_ms: *window_ms,
                    name: format!("g{index}"),
                    strategy: *strategy,
                    max_restarts: *max_restarts,
                    members: Vec::new(),
                });
            }
            if settings.is_empty() {
                return settings;
            }
            let count = settings.len();
            let mut place = |text: &str, home: usize| settings[home].members.push(member(text));
            for (text, home) in texts.iter().zip(homes) {
                if let Some(home) = home {
                    place(text, home % count);
                }
            }
            for (index, (_, parent)) in groups.iter().enumerate().skip(1) {
                if let Some(parent) = parent {
                    place(&format!("g{index}"), parent % index);
                }
            }
            without_empty(settings)
        })
        // The order of members is what rest-for-one goes by.
        .prop_flat_map(|groups| {
            let shuffled = |settings: GroupSettings| {
                let members = Just(settings.members.clone()).prop_shuffle();
                members.prop_map(move |members| GroupSettings {
                    members,
                    ..settings.clone()
                })
            };
            groups.into_iter().map(shuffled).collect::<Vec<_>>()
        })
}

fn without_empty(mut groups: Vec<GroupSettings>) -> Vec<GroupSettings> {
    while let Some(empty) = groups.iter().position(|group| group.members.is_empty()) {
        let gone = Member::Group(groups.remove(empty).name.into());
        for group in &mut groups {
            group.members.retain(|member| *member != gone);
        }
    }
    groups
}

fn actors() -> Vec<String> {
    let of = |component| INSTANCES.map(|instance| format!("{component}/{instance}"));
    COMPONENTS.into_iter().flat_map(of).collect()
}

fn meant(scope: &Scope) -> Actors {
    let is_meant = |text: &String| scope.contains(&actor(text));
    actors().into_iter().filter(is_meant).collect()
}

/// What the actions come to, in the model's words.
fn outcome(actions: &[Action]) -> Outcome {
    let rest = actions
        .iter()
        .skip_while(|action| matches!(action, Action::Escalated { .. }));
    match rest.collect::<Vec<_>>().as_slice() {
        [Action::Restart(scope)] => Outcome::Restarted(meant(scope)),
        [Action::Stop(scope)] => Outcome::Stopped(meant(scope)),
        [Action::Stop(scope), Action::GaveUp { group, .. }] => {
            Outcome::GaveUp(group.as_deref().map(str::to_owned), meant(scope))
        }
        other => panic!("no outcome: {other:?}"),
    }
}

fn counts(supervisor: &Supervisor, now_ms: u64) -> Vec<usize> {
    let groups = supervisor.groups(now_ms).into_iter();
    groups.map(|status| status.restarts_in_window).collect()
}

/// One failure in both, and what must be true of any failure.
fn fail(
    (supervisor, model): (&mut Supervisor, &mut Model),
    text: &str,
    (restart, failure): (Restart, Failure),
    now_ms: u64,
) -> Result<(), TestCaseError> {
    let before = counts(supervisor, now_ms);
    let actions = supervisor.failed(&actor(text), restart, failure, now_ms);
    let outcome = outcome(&actions);
    let grew: usize = counts(supervisor, now_ms)
        .into_iter()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before))
        .sum();
    if let Outcome::Restarted(restarted) = &outcome {
        prop_assert!(restarted.contains(text));
        let group = model.group_of(text);
        prop_assert_eq!(grew, usize::from(group.is_some()), "counted exactly once");
        let one_for_one = group.is_none_or(|group| group.strategy == Strategy::OneForOne);
        if one_for_one && actions.len() == 1 {
            prop_assert_eq!(restarted, &Actors::from([text.to_owned()]));
        }
        for other in restarted {
            let standing = supervisor.verdict(&actor(other));
            prop_assert_ne!(standing, Standing::GivenUp, "{} is restarted", other);
        }
    } else {
        prop_assert_eq!(grew, 0, "counted without a restart");
    }
    prop_assert_eq!(outcome, model.failed(text, restart, failure, now_ms));
    Ok(())
}

/// One resumption in both, and what must be true of any.
fn resume(
    (supervisor, model): (&mut Supervisor, &mut Model),
    text: &str,
) -> Result<(), TestCaseError> {
    let Some(resumed) = model.resume(text) else {
        let refused = supervisor.resume(&member(text));
        let is_expected = matches!(refused, Err(NotResumed::GivenUpWith { .. }));
        prop_assert!(is_expected, "{:?}", refused);
        return Ok(());
    };
    let actions = supervisor.resume(&member(text)).unwrap();
    let mut named = Actors::new();
    for action in &actions {
        let Action::Resume(scope) = action else {
            panic!("resuming led to {action:?}");
        };
        named.extend(meant(scope));
    }
    prop_assert_eq!(named, resumed);
    for below in model.covered(text) {
        prop_assert_eq!(supervisor.verdict(&actor(&below)), Standing::Running);
    }
    Ok(())
}

/// Both show the same to the outside.
fn agree(supervisor: &Supervisor, model: &Model, now_ms: u64) -> Result<(), TestCaseError> {
    for text in &model.actors {
        let verdict = supervisor.verdict(&actor(text));
        prop_assert_eq!(verdict, model.verdict(text), "{}", text);
    }
    let all_run = model.ended.is_empty() && model.given_up.is_empty();
    prop_assert_eq!(supervisor.is_quiet(), all_run);
    for (status, settings) in supervisor.groups(now_ms).iter().zip(&model.groups) {
        let count = model.count(&settings.name, settings.intensity(), now_ms);
        prop_assert_eq!(status.restarts_in_window, count, "{}", &settings.name);
    }
    let given_up: BTreeSet<String> = supervisor
        .given_up_actors()
        .into_iter()
        .map(|given_up| given_up.actor.to_string())
        .collect();
    let of_model = model.given_up.iter().filter(|name| name.contains('/'));
    // An operator may stop what was given up, and then it is only stopped.
    let of_model = of_model.filter(|name| !model.ended.contains(*name));
    prop_assert_eq!(given_up, of_model.cloned().collect());
    Ok(())
}

proptest! {
    #[test]
    fn any_forest_behaves_like_the_model(groups in forests(), steps in steps()) {
        let lone = Intensity { max_restarts: 2, window_ms: 150 };
        let table = LoneActors::new(lone, 100);
        let mut supervisor = Supervisor::with_lone_actors(&groups, table).unwrap();
        let everyone = actors();
        let mut targets = everyone.clone();
        targets.extend(COMPONENTS.map(str::to_owned));
        targets.extend(groups.iter().map(|group| group.name.clone()));
        let mut model = Model {
            groups,
            lone,
            actors: actors().into_iter().collect(),
            restarts: Vec::new(),
            given_up: BTreeSet::new(),
            ended: Actors::new(),
        };
        let mut now_ms = 0;
        for (gap_ms, step) in steps {
            now_ms += gap_ms;
            let both = (&mut supervisor, &mut model);
            match step {
                Step::Fail(which, restart, failure) => {
                    fail(both, which.get::<String>(&everyone), (restart, failure), now_ms)?;
                }
                Step::Resume(which) => resume(both, which.get::<String>(&targets))?,
                Step::End(which) => {
                    let text = which.get(&everyone);
                    supervisor.end(&actor(text)).unwrap();
                    model.ended.insert(text.clone());
                }
            }
            agree(&supervisor, &model, now_ms)?;
        }
    }
}
