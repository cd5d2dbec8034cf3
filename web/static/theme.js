// Runs before the first paint, so that a dark page never flashes white.
(function () {
  var wanted = null;
  try {
    wanted = localStorage.getItem('tally.theme');
  } catch {
    // Storage may be switched off; the system decides then.
  }
  var dark =
    wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  // Pages without the navigation do not begin with its outline.
  if (/^\/(sign-in|join|set-up)/.test(location.pathname))
    document.documentElement.dataset.bare = '';
})();
