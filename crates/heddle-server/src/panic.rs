//! Panics of the scheduler's thread: caught, and told with the place they came from.
//!
//! The text reaches every peer and the handle, so nothing is printed as well: unless `RUST_BACKTRACE`
//! asks for it. Other threads' panics are printed as ever.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `body`; a panic becomes a text that says what and where. Does not nest. Whatever `body` had a
/// hold of may be inconsistent after a panic.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(remember_places);
    CATCHING.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(false);
    outcome.map_err(|panic| text(panic.as_ref(), PLACE.take()))
}

fn remember_places() {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        if CATCHING.get() {
            PLACE.replace(panic.location().map(ToString::to_string));
            if std::env::var_os("RUST_BACKTRACE").is_none() {
                return;
            }
        }
        print(panic);
    }));
}

fn text(panic: &(dyn Any + Send), place: Option<String>) -> String {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic without a text");
    match place {
        Some(place) => format!("the engine stopped: {what} ({place})"),
        None => format!("the engine stopped: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place_and_a_result_is_passed_on() {
        assert_eq!(catch(|| 7), Ok(7));
        let line = line!() + 1;
        let said = catch(|| panic!("counters {}", "differ")).unwrap_err();
        let place = format!("src/panic.rs:{line}:");
        assert!(said.starts_with("the engine stopped: counters differ ("));
        assert!(said.contains(&place), "{said}");
    }
}
