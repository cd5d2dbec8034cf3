"""What the tests stand on: real processes, real SDKs, and an independent price."""
