// Every page is drawn in the browser from the same API that everybody else uses.
export const ssr = false;
export const prerender = false;
