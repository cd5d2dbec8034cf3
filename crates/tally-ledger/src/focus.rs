//! FOCUS: the open format for cost and usage, versions 1.2 and 1.4.
