//! Records as files.

use rowstorm_report::{RecordError, RunRecord};

use crate::fixtures;

#[test]
fn a_record_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    for record in [fixtures::tuned(), fixtures::short(), fixtures::troubled(), RunRecord::default()]
    {
        let path = folder.path().join("one.run.json");
        record.write(&path).unwrap();
        assert_eq!(RunRecord::read(&path).unwrap(), record);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing stays beside it");
    }
}

#[test]
fn a_newer_record_is_refused_by_its_version_and_not_by_its_fields() {
    let error = RunRecord::from_json("new.json", r#"{"record_version": 9, "seconds": "many"}"#);
    let Err(RecordError::Newer { found: 9, .. }) = error else { panic!("{error:?}") };
}

#[test]
fn what_is_no_record_is_named_with_its_place() {
    let missing = RunRecord::read("/nowhere/at.all").unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/at.all: "), "{missing}");
    let error = RunRecord::from_json("x.json", "{\n  \"a\": 1 }").unwrap_err().to_string();
    assert!(error.contains("x.json is not a run record") && error.contains("line 2"), "{error}");
}
