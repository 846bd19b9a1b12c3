/** Entry of a thread that ends its process when the parent process is gone, even while the main thread is inside a run. */
const LOOK_EVERY_MS = 1_000;

const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, LOOK_EVERY_MS);
