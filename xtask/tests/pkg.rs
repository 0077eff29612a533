//! `pkg/` is committed: it must belong to the sources beside it.

#[test]
fn pkg_was_built_from_these_sources() {
    if let Err(stale) = xtask::check::check(&xtask::root().join("pkg")) {
        panic!("{stale:#}");
    }
}
