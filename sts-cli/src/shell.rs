//! What a shell and `man` are given: completions and pages, of the arguments as they are.

use std::path::Path;

use clap::{Command, CommandFactory};

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::exit::{Done, Exit, Failure};
use crate::out::Out;

pub(crate) fn completions(args: &CompletionsArgs, out: &mut Out) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sts", &mut script);
    out.raw(&script)?;
    Ok(Exit::Good)
}

pub(crate) fn man(args: &ManArgs, out: &mut Out) -> Done {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &args.dir {
        None => out.raw(&page(&command, "sts").map_err(Failure::Output)?)?,
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| Failure::in_file(folder, &error))?;
            pages(&command, "sts", folder)?;
        }
    }
    Ok(Exit::Good)
}

/// A page for a command and each below it: `sts.1`, `sts-keys.1`, `sts-keys-new.1`.
fn pages(command: &Command, name: &str, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(format!("{name}.1"));
    let text = page(command, name).map_err(|error| Failure::in_file(&path, &error))?;
    std::fs::write(&path, text).map_err(|error| Failure::in_file(&path, &error))?;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> std::io::Result<Vec<u8>> {
    let command = command.clone().name(name.to_owned()).display_name(name.to_owned());
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    Ok(text)
}
