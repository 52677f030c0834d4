; Instructions that end in an exception, each with an entry of its own, 0x40 bytes apart from 0x1000 on. The handlers
; print a dot and halt; an 'x' means that the instruction was carried out.
;
; A debugger's stub that carries out what the host's KVM cannot should leave these alone, too.

	bits 16
	org 0x1000

%macro case 0-*
	times (0x40 - ($ - $$) % 0x40) % 0x40 nop
	call prepare
	%rep %0
	%1
	%rotate 1
	%endrep
	jmp wrong
%endmacro

	case {db 0xf0, 0x37}				; LOCK AAA
	case {db 0xf0, 0xd8, 0x06, 0x00, 0x20}		; LOCK FADD DWORD [0x2000]
	case {db 0xc5, 0xf8, 0x1e, 0xc0}		; a hint's opcode behind VEX
	case {fst dword [0xfffe]}			; past the limit
	case {mov eax, cr0}, {or al, 4}, {mov cr0, eax}, fld1		; EM
	case {mov eax, cr0}, {or al, 10}, {mov cr0, eax}, wait		; MP and TS
	case {lar ax, bx}						; in real mode
	case {db 0xf2, 0x0f, 0xb8, 0xc0}				; POPCNT with F2
	case {popcnt eax, [0xfffe]}					; past the limit
	case {call sse}, {mov dword [0x2000], 0x10000}, {ldmxcsr [0x2000]}	; a bit that MXCSR has not
	case {mov dword [0x2000], 0x1f80}, {ldmxcsr [0x2000]}		; without OSFXSR
	case {call sse}, {db 0xf3, 0x0f, 0xae, 0x16, 0x00, 0x20}		; LDMXCSR with F3
	case {db 0x0f, 0xc7, 0x36, 0x00, 0x20}				; RDRAND of memory

	case {mov [0xfffe], eax}			; past the limit, which an emulated CPU may not look at

wrong:	mov al, 'x'
	out 0xe9, al
	hlt
caught:	mov al, '.'
	out 0xe9, al
	hlt

prepare:
	xor ax, ax
	mov ds, ax
	mov word [6 * 4], caught
	mov word [6 * 4 + 2], ax
	mov word [7 * 4], caught
	mov word [7 * 4 + 2], ax
	mov word [13 * 4], caught
	mov word [13 * 4 + 2], ax
	fninit
	ret

sse:	mov eax, cr4
	or ax, 0x200			; OSFXSR
	mov cr4, eax
	ret
