; x87 arithmetic with operands of all sizes, in memory and in registers, in 16-bit mode; results from 0x2000 on, 16
; bytes each; then halts.
;
; A debugger should see the same registers and memory whether the host's FPU, its KVM or the debugger's stub carries
; the instructions out, and a step over each of them.

	bits 16
	org 0x1000

%define next_result 16
%assign n 0
%macro store 2			; instruction and size
	%1 %2 [0x2000 + n]
	%assign n n + next_result
%endmacro

	fninit
	fldpi
	fld1
	faddp
	store fstp, qword
	fild word [w]
	fimul dword [d]
	store fist, word
	store fistp, dword
	fild qword [q]
	fadd dword [f]
	fsub qword [g]
	store fst, dword
	store fistp, qword
	fld tword [t]
	fsqrt
	fchs
	fld1
	fxch
	store fstp, tword
	fbld [b]
	fiadd word [w]
	store fbstp, tword
	fldz
	fld1
	fcomi st0, st1			; 1 > 0
	seta [0x2000 + n]
	fcmovnbe st0, st1		; so ST0 becomes 0
	fdivr qword [g]			; by 0: infinity, and ZE
	fnstsw ax
	mov [0x2001 + n], ax
	fwait
	fnstcw [0x2003 + n]
	fldcw [control]			; ZE is not masked now, and pending
	fnclex
	fwait
	fnstsw [0x2005 + n]
	fldcw [masked]
%assign n n + next_result
	ffree st0
	fincstp
	fldl2e
	frndint
	store fisttp, word
	hlt

	align 8
q:	dq 1234567890123
g:	dq 2.5
d:	dd -7
f:	dd 0.75
w:	dw 321
control: dw 0x037b
masked:	dw 0x037f
t:	dt 1.0e100
b:	db 0x56, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 0x80	; -123456
