use crate::guest::{Ran, run};

/// What the last command wrote, and its exit code.
fn last(lines: &[&str]) -> Ran {
    run(lines).pop().unwrap()
}

fn output(lines: &[&str]) -> String {
    let ran = last(lines);
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn trees_are_made_copied_listed_and_removed() {
    let lines = ["mkdir -p a/b/c", "touch a/f a/b/g", "ln -s f a/l", "cp -a a z", "find z -print", "rm -rv a", "ls -R"];
    let ran = run(&lines);
    assert!(ran.iter().all(|ran| ran.code == 0 && ran.stderr.is_empty()), "{ran:#?}");
    let mut found: Vec<&str> = ran[4].stdout.lines().collect();
    found.sort_unstable();
    assert_eq!(found, ["z", "z/b", "z/b/c", "z/b/g", "z/f", "z/l"]);
    assert_eq!(ran[6].stdout, ".:\nz\n\n./z:\nb\nf\nl\n\n./z/b:\nc\ng\n\n./z/b/c:\n");
}

#[test]
fn errors_read_as_the_real_tools_write_them() {
    assert_eq!(output(&["cp x y"]), "cp: cannot stat 'x': No such file or directory\n");
    assert_eq!(output(&["mkdir a", "mkdir a"]), "mkdir: cannot create directory 'a': File exists\n");
    assert_eq!(output(&["mkdir a", "rm a"]), "rm: cannot remove 'a': Is a directory\n");
    assert_eq!(output(&["ls nope"]), "ls: cannot access 'nope': No such file or directory\n");
    assert_eq!(output(&["cat /"]), "cat: /: Is a directory\n");
    assert_eq!(output(&["ls --context"]), "ls: option '--context' is not supported by the simulated guest\n");
    assert_eq!(output(&["find -foo"]), "find: unknown predicate `-foo'\n");
}
