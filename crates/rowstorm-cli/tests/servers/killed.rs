//! Killed with SIGKILL, gone on with, and proved. `cargo xtask torture` does it more often, and lets the server's own client count.

use std::time::Duration;

use crate::bed::Bed;

const CHANGES: u64 = 16_000;
const OPTIONS: &str = "--rate max --batch 20 --in-flight 3 --epoch 2026-01-01T00:00:00Z";

pub(crate) async fn a_run_that_is_killed_ends_as_one_that_was_not(bed: Bed) {
    let whole = format!("{OPTIONS} --changes {CHANGES} -o run.json");
    bed.clear().await;
    bed.done(&whole);
    let unharmed = bed.dump().await;
    for moments_ms in [[90, 60, 110], [30, 200, 20]] {
        bed.clear().await;
        std::fs::remove_file(bed.folder.path().join("run.json")).unwrap();
        let mut kills = 0;
        for (at, moment) in moments_ms.into_iter().enumerate() {
            let mut child = bed.start(&format!("{whole}{}", resume(&bed)));
            if at > 0 {
                bed.changes_begun("run.json", &mut child).await;
            }
            tokio::time::sleep(Duration::from_millis(moment)).await;
            child.kill().unwrap();
            let ended = child.wait_with_output().unwrap();
            if ended.status.code().is_some() {
                // It was faster, and must have ended well.
                assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
                break;
            }
            kills += 1;
        }
        assert!(kills > 0, "nothing was killed");
        bed.done(&format!("{whole}{}", resume(&bed)));
        let (code, found) = bed.verify("run.json");
        assert_eq!(code, Some(0), "{kills} kills: {found}");
        assert!(bed.dump().await == unharmed, "{kills} kills: another state than without");
    }
}

/// Without a record, it begins anew.
fn resume(bed: &Bed) -> &'static str {
    if bed.folder.path().join("run.json").exists() { " --resume run.json" } else { "" }
}
