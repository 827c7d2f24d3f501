//! The numbers of `docs/token.md` are those that the example `walk` prints, all of them.

#[path = "../examples/walk.rs"]
#[expect(dead_code, reason = "its `main` prints what the test compares")]
mod walk;

#[test]
fn page_of_a_token_shows_all_that_the_walk_prints() {
    let Ok(page) =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/token.md"))
    else {
        return; // the packaged crate comes without the documentation
    };
    let shown =
        page.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("text\n"));
    let shown: Vec<&str> = shown.flat_map(str::lines).collect();
    let walked = walk::walk().map_err(|error| error.to_string());
    let printed = walked.as_deref().unwrap_or_else(|error| error);
    let printed: Vec<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(shown, printed);
}
