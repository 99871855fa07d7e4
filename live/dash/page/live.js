// Renews what the page shows, as the queue sends it. Text that somebody is
// selecting stays until the selection is gone.
const main = document.getElementById("live");
const link = document.getElementById("link");
const stream = new EventSource("/ui/stream");
stream.onmessage = (event) => {
  link.textContent = "live";
  if (document.getSelection().isCollapsed) {
    main.innerHTML = event.data; // made by the server, which escapes what others wrote
  }
};
stream.onerror = () => {
  link.textContent = stream.readyState === EventSource.CLOSED ? "ended: load the page again" : "connection lost: trying again";
};
