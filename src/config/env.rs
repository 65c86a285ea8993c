//! The process environment. This is the only file that reads it.

#![allow(clippy::disallowed_methods, reason = "this is the one place where the environment is read")]

use std::env;

use super::overlay::Overlay;
use super::setting::Setting;
use super::{Config, ConfigError, DirectMemoryLimit, Walker, variable};

impl Config {
    /// The defaults, with each `LEAK_DETECTION_*` variable that is set; a mistake in one is an error.
    ///
    /// For programs that must not start with a mistyped setting. [`from_env_lossy`](Config::from_env_lossy) goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{Config, ConfigError, LeakDetector};
    ///
    /// fn detector() -> Result<LeakDetector, ConfigError> {
    ///     Ok(LeakDetector::new(Config::from_env()?))
    /// }
    ///
    /// if let Err(error) = detector() {
    ///     eprintln!("{error}");
    ///     assert!(error.to_string().contains(error.variable()));
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The first of the errors that [`from_env_lossy`](Config::from_env_lossy) would return: a value that is not
    /// understood (an empty one is not either), or a variable whose name starts with `LEAK_DETECTION_` and is unknown.
    pub fn from_env() -> Result<Config, ConfigError> {
        let (config, errors) = Config::from_env_lossy();
        match errors.into_iter().next() {
            None => Ok(config),
            Some(error) => Err(error),
        }
    }

    /// The defaults, with each `LEAK_DETECTION_*` variable that is set and understood, and what is wrong with the others.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::Config;
    ///
    /// let (config, errors) = Config::from_env_lossy();
    /// for error in &errors {
    ///     eprintln!("{error}");
    /// }
    /// assert_eq!(Config::from_env().ok(), errors.is_empty().then_some(config));
    /// ```
    #[must_use]
    pub fn from_env_lossy() -> (Config, Vec<ConfigError>) {
        let (config, errors, _) = Config::new().with_environment();
        (config, errors)
    }

    /// The limit that the environment asks for, and what is wrong in that variable or bears a name that is unknown. Other
    /// variables are for whoever uses them: only there it is known what is used instead.
    pub(crate) fn max_direct_memory_from_env() -> (DirectMemoryLimit, Vec<ConfigError>) {
        let (config, mut errors) = Config::from_env_lossy();
        errors.retain(|error| error.variable() == DirectMemoryLimit::VARIABLE || error.is_unknown_name());
        (config.configured_max_direct_memory(), errors)
    }

    /// This configuration with the environment over it, what is wrong in the environment, and every setting that is
    /// then in force.
    pub(crate) fn with_environment(self) -> (Config, Vec<ConfigError>, Vec<Setting>) {
        let Overlay { config, errors, settings } = Overlay::new(self, env::vars_os());
        (config, errors, settings)
    }

    /// Whether a `LEAK_DETECTION_*` variable is set, if only to something bad: then somebody wants to see something.
    pub(crate) fn any_variable_set() -> bool {
        env::vars_os().any(|(name, _)| variable::is_ours(&name))
    }
}

impl Walker {
    /// The walker that the environment names. It is the whole process's, so detectors that take nothing else from the
    /// environment take this; a bad value is told by the global detector.
    pub(crate) fn of_environment() -> Option<Walker> {
        Walker::from_name(env::var_os(variable::WALKER)?.to_str()?.trim())
    }
}
