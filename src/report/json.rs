//! How times and addresses look in JSON: milliseconds, RFC 3339 and hex, which people and other languages can read.

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::moment::has_text;
use super::{Fingerprint, SiteStats, Snapshot};

/// A duration as whole milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(whole(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }

    pub(super) fn whole(duration: Duration) -> u64 {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A duration as whole milliseconds, or null.
pub(crate) mod opt_millis {
    use std::time::Duration;

    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}

/// A time as `2026-11-20T03:12:44.123Z`.
pub(crate) mod rfc3339 {
    use std::time::SystemTime;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        // JSON has no word for a moment without a text, and a reader wants one.
        let known = if has_text(*time) { *time } else { SystemTime::UNIX_EPOCH };
        serializer.collect_str(&humantime::format_rfc3339_millis(known))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_rfc3339(&text).map_err(D::Error::custom)
    }
}

/// An address as `0x55d0c3a41f40`: JSON's numbers are exact up to 2^53 only.
pub(crate) mod hex {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:#x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("a hex number begins with 0x"))?;
        u64::from_str_radix(digits, 16).map_err(D::Error::custom)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for SiteStats {
    /// By hand for `live` alone, which is computed and which every reader wants. Reading ignores it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("SiteStats", 12)?;
        fields.serialize_field("resource", self.resource())?;
        fields.serialize_field("site", self.site())?;
        fields.serialize_field("origin", &self.origin)?;
        fields.serialize_field("created", &self.created)?;
        fields.serialize_field("released", &self.released)?;
        fields.serialize_field("leaked", &self.leaked)?;
        fields.serialize_field("untracked", &self.untracked)?;
        fields.serialize_field("live", &self.live())?;
        fields.serialize_field("live_bytes", &self.live_bytes)?;
        fields.serialize_field("leaked_bytes", &self.leaked_bytes)?;
        fields.serialize_field("recent", &self.recent)?;
        fields.serialize_field("nonzero_for_ms", &self.nonzero_for.map(millis::whole))?;
        fields.end()
    }
}

impl Serialize for Snapshot {
    /// By hand for the totals, as with [`SiteStats`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Snapshot", 17)?;
        fields.serialize_field("level", &self.level)?;
        fields.serialize_field("uptime_ms", &millis::whole(self.uptime))?;
        fields.serialize_field("created", &self.created())?;
        fields.serialize_field("released", &self.released())?;
        fields.serialize_field("leaked", &self.leaked())?;
        fields.serialize_field("untracked", &self.untracked())?;
        fields.serialize_field("live", &self.live())?;
        fields.serialize_field("live_bytes", &self.live_bytes())?;
        fields.serialize_field("leaked_bytes", &self.leaked_bytes())?;
        fields.serialize_field("sites", &self.sites)?;
        fields.serialize_field("discarded", &self.discarded)?;
        fields.serialize_field("faults", &self.faults)?;
        fields.serialize_field("watched", &self.watched)?;
        fields.serialize_field("resident", &self.resident)?;
        fields.serialize_field("unwritten", &self.unwritten)?;
        fields.serialize_field("self_bytes", &self.self_bytes)?;
        fields.serialize_field("walker", &self.walker)?;
        fields.end()
    }
}
