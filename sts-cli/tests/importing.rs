//! The commands of docs/importing.md print what the page says.

use std::path::Path;
use std::process::Command;

#[test]
fn page_on_importing_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tree");
    let page = std::fs::read_to_string(root.join("docs/importing.md")).expect("the page");
    let scratch = std::env::temp_dir().join(format!("sts-importing-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).expect("a folder");
    let scratch = scratch.display().to_string();
    let mut shown = 0;
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default().replace(" \\\n   ", "");
        let (command, expected) = block.split_once('\n').expect("a command");
        if command.contains("FILE...") {
            continue;
        }
        let command = command.strip_prefix("$ ").expect("a prompt").replace("/tmp", &scratch);
        let mut words = command.split(' ').filter(|word| !word.is_empty());
        let printed = match words.next() {
            Some("sts") => {
                let done = Command::new(env!("CARGO_BIN_EXE_sts"))
                    .args(words)
                    .current_dir(root)
                    .output()
                    .expect("the tool");
                let mut text = String::from_utf8_lossy(&done.stdout).into_owned();
                text.push_str(&String::from_utf8_lossy(&done.stderr));
                text
            }
            Some("cat") => words.filter_map(|file| std::fs::read_to_string(file).ok()).collect(),
            other => panic!("{other:?} is no command of the page"),
        };
        let ends = |text: &str| -> String {
            text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
        };
        assert_eq!(ends(&printed.replace(&scratch, "/tmp")), ends(expected), "{command}");
        shown += 1;
    }
    let _ = std::fs::remove_dir_all(&scratch);
    assert!(shown > 7, "{shown}");
}
