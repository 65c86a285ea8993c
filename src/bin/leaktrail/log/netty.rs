//! Netty's stacks: which frame is the user's.

/// The first frame that is neither Netty's nor the JDK's, as `package.Class.method(File.java:26)`.
pub(super) fn is_users(frame: &str) -> bool {
    // A module or a class loader may stand before the class: `java.base/java.lang.Thread.run(Thread.java:829)`,
    // `app//com.example.Main.main(Main.java:3)`.
    let name = frame.split('(').next().unwrap_or(frame);
    let class = name.rsplit('/').next().unwrap_or(name);
    let of_the_jdk = ["java.", "javax.", "jdk.", "sun.", "com.sun."].iter().any(|package| class.starts_with(package));
    // Shaded copies have their new home before the name: `io.grpc.netty.shaded.io.netty.buffer…`.
    !of_the_jdk && !class.starts_with("io.netty.") && !class.contains(".io.netty.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nettys_own_and_the_jdks_are_passed_over() {
        for frame in [
            "io.netty.buffer.PooledByteBufAllocator.newDirectBuffer(PooledByteBufAllocator.java:363)",
            "io.grpc.netty.shaded.io.netty.buffer.AbstractByteBufAllocator.directBuffer(AbstractByteBufAllocator.java:187)",
            "java.base/java.lang.Thread.run(Thread.java:829)",
            "java.lang.Thread.run(Thread.java:748)",
            "jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)",
            "sun.nio.ch.SelectorImpl.select(SelectorImpl.java:98)",
        ] {
            assert!(!is_users(frame), "{frame}");
        }
        for frame in [
            "com.example.gateway.BodyCache.keep(BodyCache.java:9)",
            "app//com.example.Main.main(Main.java:3)",
            "javaslang.X.y(X.java:1)",
            "org.io.nettyish.X.y(X.java:1)",
            "Probe.main(Probe.java:26)",
        ] {
            assert!(is_users(frame), "{frame}");
        }
    }
}
