//! Names for the offsets of one module.

use std::path::Path;

use addr2line::Loader;

use crate::failure::Failure;

/// A file with debug information, and the module that it is of.
pub(super) struct DebugFile {
    module: String,
    loader: Loader,
}

/// One frame at an offset; inlined code has several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) function: Option<String>,
    pub(super) place: Option<String>,
}

impl DebugFile {
    /// Opens `FILE`, or `MODULE=FILE`.
    ///
    /// # Errors
    /// It cannot be read, or has no format that is known.
    pub(super) fn open(argument: &str) -> Result<DebugFile, Failure> {
        // A path may have the sign in it too; then it is there as a whole.
        let (module, path) = match argument.split_once('=') {
            Some((module, path)) if !Path::new(argument).exists() => (Some(module), path),
            _ => (None, argument),
        };
        let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let module = module.map_or_else(|| name.strip_suffix(".debug").unwrap_or(&name).to_owned(), str::to_owned);
        let loader = Loader::new(path).map_err(|error| Failure::of(path, error))?;
        Ok(DebugFile { module, loader })
    }

    pub(super) fn is_of(&self, module: &str) -> bool {
        self.module == module
    }

    /// What is at an offset, innermost first; empty when nothing is known.
    pub(super) fn names(&self, offset: u64) -> Vec<Named> {
        // A report has return addresses: the call itself lies before.
        let Some(address) = offset.checked_sub(1) else { return Vec::new() };
        let mut names = Vec::new();
        if let Ok(mut frames) = self.loader.find_frames(address) {
            while let Ok(Some(frame)) = frames.next() {
                let function = frame.function.and_then(|function| Some(function.demangle().ok()?.into_owned()));
                let place = frame.location.and_then(|location| {
                    let (file, line) = (location.file?, location.line?);
                    Some(
                        location
                            .column
                            .map_or_else(|| format!("{file}:{line}"), |column| format!("{file}:{line}:{column}")),
                    )
                });
                names.push(Named { function, place });
            }
        }
        names.retain(|named| *named != Named::default());
        if names.is_empty()
            && let Some(symbol) = self.loader.find_symbol(address)
        {
            let function = addr2line::demangle_auto(symbol.into(), None).into_owned();
            names.push(Named { function: Some(function), place: None });
        }
        names
    }
}
