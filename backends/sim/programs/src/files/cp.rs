//! cp(1).

use std::collections::BTreeSet;

use provium_kernel::Errno;

use super::copy::{Copier, CopyOptions, Follow, Overwrite, Preserve, Sparse};
use super::link_target::{inside, is_directory, require_directory};
use super::sources::sources;
use crate::shared::path::{is_dot_or_dotdot, join};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quote, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... [-T] SOURCE DEST",
    &[
        Opt::flag("a", "archive"),
        Opt::flag("", "attributes-only"),
        Opt::unsupported("b", "backup"),
        Opt::unsupported("", "copy-contents"),
        Opt::flag("d", ""),
        Opt::flag("f", "force"),
        Opt::flag("H", ""),
        Opt::flag("i", "interactive"),
        Opt::flag("l", "link"),
        Opt::flag("L", "dereference"),
        Opt::flag("n", "no-clobber"),
        Opt::flag("P", "no-dereference"),
        Opt::flag("p", ""),
        Opt::optional("", "preserve"),
        Opt::value("", "no-preserve"),
        Opt::unsupported("", "parents"),
        Opt::flag("rR", "recursive"),
        Opt::flag("", "remove-destination"),
        Opt::value("", "sparse"),
        Opt::optional("", "reflink"),
        Opt::flag("", "strip-trailing-slashes"),
        Opt::flag("s", "symbolic-link"),
        Opt::unsupported("S", "suffix"),
        Opt::value("t", "target-directory"),
        Opt::flag("T", "no-target-directory"),
        Opt::flag("u", "update"),
        Opt::flag("v", "verbose"),
        Opt::flag("x", "one-file-system"),
        Opt::unsupported("Z", "context"),
    ],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let options = options(&tool, &parsed).await?;
    if options.hard_link && options.symbolic_link {
        return Err(tool.usage_error(1, "cannot make both hard and symbolic links").await);
    }
    let (mut files, mut directory) = sources(&tool, &parsed).await?;
    let mut new = false;
    if parsed.has("no-target-directory") {
        if directory.is_some() {
            return Err(tool.fail(1, "cannot combine --target-directory (-t) and --no-target-directory (-T)").await);
        }
        if let Some(extra) = files.get(2) {
            return Err(tool.extra_operand(1, extra).await);
        }
    } else if let Some(directory) = &directory {
        require_directory(&tool, directory, "target directory").await?;
    } else if let Some(last) = files.last() {
        match is_directory(&tool.sys, last, true).await {
            Ok(true) => directory = files.pop(),
            answer if files.len() > 2 => {
                let errno = answer.err().unwrap_or(Errno::ENOTDIR);
                return Err(tool.fail_errno(1, format!("target {}", quoteaf(last)), errno).await);
            }
            Err(Errno::ENOENT) => new = true,
            _ => {}
        }
    }
    // Where a link is copied as a link, what is found through the target says nothing about it.
    let mut copier = Copier::new(tool, options);
    let Some(directory) = directory else {
        let options = &copier.options;
        let through = !options.remove_destination && !options.symbolic_link && !options.hard_link;
        let new = new && through && copier.follows(true);
        let (source, target) = (files[0].clone(), files[1].clone());
        return Ok(i32::from(!copier.copy(&source, &target, new).await?));
    };
    if files.len() > 1 {
        copier.made = Some(BTreeSet::new());
    }
    let mut code = 0;
    for source in &files {
        // The content of `.` and `..` goes into the directory itself.
        let base = crate::shared::path::base_name(source);
        let target = if is_dot_or_dotdot(base) { join(&directory, b".") } else { inside(&directory, source) };
        if copier.is_repeated(source).await {
            continue;
        }
        if !copier.copy(source, &target, false).await? {
            code = 1;
        }
    }
    Ok(code)
}

async fn options(tool: &Tool, parsed: &Parsed) -> Result<CopyOptions, Exit> {
    let mut options = CopyOptions {
        recursive: false,
        as_regular: true,
        follow: Follow::Always,
        overwrite: Overwrite::Yes,
        force: false,
        remove_destination: false,
        update: false,
        verbose: false,
        hard_link: false,
        symbolic_link: false,
        one_file_system: false,
        attributes_only: false,
        sparse: Sparse::Auto,
        preserve: Preserve::default(),
        moving: false,
    };
    let mut follow = None;
    let all = Preserve { mode: true, ownership: true, timestamps: true, links: true, no_mode: false };
    for (option, value) in &parsed.options {
        match (*option, value.as_deref()) {
            ("archive", _) => {
                follow = Some(Follow::Never);
                options.preserve = all;
                options.recursive = true;
            }
            ("attributes-only", _) => options.attributes_only = true,
            ("d", _) => {
                options.preserve.links = true;
                follow = Some(Follow::Never);
            }
            ("force", _) => options.force = true,
            ("H", _) => follow = Some(Follow::Arguments),
            ("interactive", _) => options.overwrite = Overwrite::Ask,
            ("link", _) => options.hard_link = true,
            ("dereference", _) => follow = Some(Follow::Always),
            ("no-clobber", _) => options.overwrite = Overwrite::No,
            ("no-dereference", _) => follow = Some(Follow::Never),
            ("p", _) | ("preserve", None) => {
                (options.preserve.mode, options.preserve.ownership, options.preserve.timestamps) = (true, true, true);
            }
            ("preserve", Some(list)) => preserve(tool, &mut options.preserve, list, true).await?,
            ("no-preserve", Some(list)) => preserve(tool, &mut options.preserve, list, false).await?,
            ("recursive", _) => options.recursive = true,
            ("reflink", None | Some(b"always")) => {
                let text = "option '--reflink=always' is not supported by the simulated guest";
                return Err(tool.fail(1, text).await);
            }
            ("reflink", Some(b"auto" | b"never")) => {}
            ("reflink", Some(other)) => {
                return Err(invalid(tool, other, "--reflink", "  - 'auto'\n  - 'always'\n  - 'never'\n").await);
            }
            ("remove-destination", _) => options.remove_destination = true,
            ("sparse", Some(when)) => {
                options.sparse = match when {
                    b"never" => Sparse::Never,
                    b"auto" => Sparse::Auto,
                    b"always" => Sparse::Always,
                    other => {
                        return Err(invalid(tool, other, "--sparse", "  - 'never'\n  - 'auto'\n  - 'always'\n").await);
                    }
                };
            }
            ("symbolic-link", _) => options.symbolic_link = true,
            ("update", _) => options.update = true,
            ("verbose", _) => options.verbose = true,
            ("one-file-system", _) => options.one_file_system = true,
            _ => {}
        }
    }
    options.as_regular = !options.recursive;
    // Links are followed unless a tree is copied or links are made.
    options.follow = follow.unwrap_or(if options.recursive || options.hard_link && !options.symbolic_link {
        Follow::Never
    } else {
        Follow::Always
    });
    if options.overwrite == Overwrite::No {
        options.update = false;
    }
    Ok(options)
}

async fn preserve(tool: &Tool, preserve: &mut Preserve, list: &[u8], on: bool) -> Result<(), Exit> {
    for word in list.split(|&byte| byte == b',') {
        match word {
            b"mode" => (preserve.mode, preserve.no_mode) = (on, !on),
            b"timestamps" => preserve.timestamps = on,
            b"ownership" => preserve.ownership = on,
            b"links" => preserve.links = on,
            // There is nothing of the kind in the simulated file systems.
            b"context" | b"xattr" => {}
            b"all" => *preserve = Preserve { mode: on, ownership: on, timestamps: on, links: on, no_mode: !on },
            other => {
                let option = if on { "--preserve" } else { "--no-preserve" };
                let valid = "  - 'mode'\n  - 'timestamps'\n  - 'ownership'\n  - 'links'\n  - 'context'\n  - 'xattr'\n  - 'all'\n";
                return Err(invalid(tool, other, option, valid).await);
            }
        }
    }
    Ok(())
}

async fn invalid(tool: &Tool, text: &[u8], option: &str, valid: &str) -> Exit {
    tool.error(format!("invalid argument {} for {}", quote(text), quote(option))).await;
    tool.stderr(format!("Valid arguments are:\n{valid}")).await;
    tool.usage_hint(1).await
}
