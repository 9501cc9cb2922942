"""HTTP and TLS connections of whoever makes them: certificates, deadlines, proxies, times in headers."""
