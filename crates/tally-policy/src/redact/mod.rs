//! Finds personal data and secrets in a prompt, and puts placeholders in their place.
