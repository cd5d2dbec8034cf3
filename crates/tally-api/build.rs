//! Makes the folder of the interface known to the compiler.
//!
//! `rust-embed` resolves `web/build` while it compiles. If the folder is not there by then,
//! a debug binary never finds the files that `make web` puts into it later.

use std::{env, fs, io};

const INTERFACE: &str = "../../web/build";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    fs::create_dir_all(INTERFACE)?;
    // Release builds hold the files themselves; debug builds read them when asked.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed={INTERFACE}");
    }
    Ok(())
}
