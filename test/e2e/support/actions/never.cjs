"use strict";
// Actions of steps that do not run here: act wants to have them all the same.
require("./inputs.cjs").fail(`${process.env.STAND_IN_ACTION} has nothing to do here`);
