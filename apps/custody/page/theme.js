"use strict";
// The theme that was chosen, before anything is drawn: "light", "dark", or as the system has it.
{
    const chosen = localStorage.getItem("custody-theme");
    if (chosen) document.documentElement.dataset.theme = chosen;
}
