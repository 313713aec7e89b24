//! States that updates walk through.

use super::Check;
use super::generator::one_of;
use crate::document::Place;
use crate::{DataType, StatesSpec};

pub(super) fn check(check: &mut Check<'_>, data_type: DataType, spec: &StatesSpec, place: &Place) {
    let next = place.key("next");
    if let Some(start) = &spec.start {
        one_of(check, data_type, start, &place.key("start"));
    }
    if spec.next.is_empty() && check.is_whole(&next) {
        check.value(&next, "there is nowhere to go", Some("`next: { open: [paid] }`".to_owned()));
    }
    for (state, after) in &spec.next {
        let here = next.key(state);
        let alone = crate::Choices::Alike(vec![crate::Literal::Text(state.clone())]);
        one_of(check, data_type, &alone, &here);
        if !after.is_empty() {
            one_of(check, data_type, after, &here);
        }
    }
    if let Some(state) = spec.choice_in_circle() {
        let message = format!("rows come back to `{state}`, where they have a choice");
        let help = "a state that has several to follow cannot be reached again; states that follow \
                    each other in a ring, one after each, can";
        check.value(&next.key(&state), message, Some(help.to_owned()));
    }
}
