	.globaltype	__stack_pointer, i32
	.globl	stackSave
	.type	stackSave,@function
stackSave:
	.functype	stackSave () -> (i32)
	global.get	__stack_pointer
	end_function
	.globl	stackRestore
	.type	stackRestore,@function
stackRestore:
	.functype	stackRestore (i32) -> ()
	local.get	0
	global.set	__stack_pointer
	end_function
