//! Rules: conditions over what is known of a call, and the decision that follows.
