// What a person sees on a page, and when: put into it before anything else runs there. Times are milliseconds
// since the epoch, so that they can be held against those of the server on the same machine.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  // What has changed is on the screen when the frame after the next one begins.
  const painted = then => requestAnimationFrame(() => requestAnimationFrame(() => then(now())));
  const PATIENCE = 120_000;
  const eyes = { begun: 0, long: [] };

  addEventListener('keydown', ({ key, ctrlKey }) => {
    if (key === 'Enter' && ctrlKey) {
      eyes.begun = now();
    }
  }, true);

  addEventListener('pointerdown', () => {
    eyes.begun = now();
  }, true);

  // Begin now, by a command of Lab instead of keys.
  eyes.command = name => {
    eyes.begun = now();
    jupyterapp.commands.execute(name);
  };

  // Begin now, by dragging a bar to its end.
  eyes.scrollToEnd = selector => {
    eyes.begun = now();
    const node = document.querySelector(selector);
    node.scrollTop = node.scrollHeight;
  };

  // Begin now, by the last key of what is typed.
  eyes.type = (selector, words) => {
    eyes.begun = now();
    const node = document.querySelector(selector);
    node.value = words;
    node.dispatchEvent(new Event('input', { bubbles: true }));
  };

  // When something that matches, with these words, is on the screen for the first time.
  eyes.seen = (selector, words = '') => new Promise((resolve, reject) => {
    const isThere = () => [...document.querySelectorAll(selector)].some(
      node => node.textContent.trim() !== '' && node.textContent.includes(words) && node.checkVisibility()
    );
    const look = () => {
      if (isThere()) {
        watcher.disconnect();
        painted(resolve);
      }
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    setTimeout(() => reject(new Error(`not seen: ${selector} ${words}`)), PATIENCE);
    look();
  });

  // Begin a watch that is asked for later: `eyes.awaited` holds its answer.
  eyes.await = (selector, words) => {
    eyes.awaited = eyes.seen(selector, words);
  };

  new PerformanceObserver(found => eyes.long.push(...found.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' });

  // Count the frames in which states change below `selector`, and the tasks that hold the page up, from now on.
  eyes.count = selector => {
    let isCounted = false;
    eyes.long = [];
    eyes.paints = [];
    eyes.counter = new MutationObserver(changes => {
      if (!isCounted && changes.some(({ target }) => (target.closest ?? target.parentElement?.closest)?.call(
        target.closest ? target : target.parentElement, selector))) {
        isCounted = true;
        requestAnimationFrame(() => {
          isCounted = false;
          eyes.paints.push(now());
        });
      }
    });
    eyes.counter.observe(document, { subtree: true, childList: true, characterData: true });
  };

  eyes.counted = () => {
    eyes.counter.disconnect();
    return { paints: eyes.paints, long: eyes.long };
  };

  window.eyes = eyes;
})();
