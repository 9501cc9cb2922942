"use strict";
const form = document.getElementById("sign-in"), answer = document.getElementById("answer");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  answer.textContent = "";
  const body = JSON.stringify({password: document.getElementById("password").value});
  try {
    const response = await fetch("sign-in", {method: "POST", headers: {"Content-Type": "application/json"}, body});
    if (response.ok) location.reload();
    else answer.textContent = await response.text();
  } catch {
    answer.textContent = "The bridge does not answer.";
  }
});
