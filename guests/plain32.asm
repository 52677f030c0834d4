; 32-bit code, for --mode=32, with instructions that not every KVM that emulates guest code knows: LAR, LSL, VERR, VERW,
; POPCNT, LDMXCSR, STMXCSR, RDRAND and RDSEED. For each use of one it prints a dot if registers, memory and flags are as
; the manuals say, or that the CPU has no such instruction, and an x if not.
;
; A debugger should see the same dots, whether it runs the guest or steps.

	bits 32
	org 0x1000

lar_mask equ 0xf0ff00			; the bits that are defined

; print the last comparison
%macro told 0
	mov al, '.'
	je %%good
	mov al, 'x'
%%good:	out 0xe9, al
%endmacro

; LAR or LSL of a selector: ZF, and EAX, of which 5A5A5A5A is what was there before
%macro finds 3				; %1: instruction, %2: selector, %3: value
	mov eax, 0x5a5a5a5a
	mov ebx, %2
	or esp, esp			; not ZF
	%1 eax, bx
	jnz %%no
	and eax, [mask_%1]
	cmp eax, %3
	jmp %%told
%%no:	or esp, esp
%%told:	told
%endmacro
%macro misses 2
	mov eax, 0x5a5a5a5a
	mov ebx, %2
	cmp eax, eax			; ZF
	%1 eax, bx
	jz %%no
	cmp eax, 0x5a5a5a5a
	jmp %%told
%%no:	or esp, esp
%%told:	told
%endmacro
%macro verifies 3			; %1: instruction, %2: selector, %3: ZF
	mov ebx, %2
	%1 bx
	setz bl
	cmp bl, %3
	told
%endmacro

start:	lgdt [gdtr]
	jmp 8:.flat
.flat:	mov ax, 0x10
	mov ds, ax
	mov ss, ax
	mov esp, 0x8000

	finds lar, 0x08, 0xc09b00
	finds lar, 0x10, 0xc09300
	finds lar, 0x28, 0x008900	; a task state segment
	finds lar, 0x30, 0x008c00	; a call gate
	finds lar, 0x50, 0xc01300	; not present
	misses lar, 0x00
	misses lar, 0x38		; an interrupt gate
	misses lar, 0x0b		; from level 3
	misses lar, gdt.end - gdt
	finds lar, 0x5b, 0xc09f00	; conforming code, from any level
	mov eax, 0x5a5a5a5a
	lar ax, [selector]
	cmp eax, 0x5a5af300
	told

	finds lsl, 0x08, 0xffffffff
	finds lsl, 0x23, 0x1234
	finds lsl, 0x28, 0x67
	misses lsl, 0x30
	misses lsl, 0x0b
	misses lsl, 0xfff8
	mov eax, 0x5a5a5a5a
	mov ebx, 0x08
	lsl ax, bx
	cmp eax, 0x5a5affff
	told

	verifies verr, 0x10, 1
	verifies verr, 0x08, 1
	verifies verr, 0x40, 0		; to be executed only
	verifies verr, 0x28, 0
	verifies verr, 0x13, 0
	verifies verr, 0x23, 1
	verifies verw, 0x10, 1
	verifies verw, 0x08, 0
	verifies verw, 0x48, 0		; to be read only
	verifies verw, 0, 0
	verw [selector]
	told

	mov eax, 1
	cpuid
	mov [features], ecx
	test ecx, 1 << 23
	jz .no_popcnt
	mov ebx, 0x80010170
	stc
	popcnt eax, ebx
	jbe .bad			; CF or ZF
	cmp eax, 6
	jne .bad
	xor ebx, ebx
	mov eax, 0x5a5a5a5a
	popcnt ax, bx
	jne .bad
	cmp eax, 0x5a5a0000
	jne .bad
	popcnt eax, [mask_lsl]
	cmp eax, 32
.bad:	told
	jmp .mxcsr
.no_popcnt:
	cmp eax, eax
	told

.mxcsr:	mov eax, cr4
	or eax, 0x200			; OSFXSR
	mov cr4, eax
	mov dword [number], 0x1f80
	ldmxcsr [number]
	mov dword [number], -1
	stmxcsr [number]
	cmp dword [number], 0x1f80
	told
	mov dword [number], 0x5fa1
	ldmxcsr [number]
	mov dword [number], 0
	stmxcsr [number]
	cmp dword [number], 0x5fa1
	told

	test dword [features], 1 << 30
	jz .no_random
	mov ecx, 100
.draw:	rdrand eax
	jc .drawn
	loop .draw
	or esp, esp
	jmp .told
.drawn:	mov edx, eax
.again:	rdrand eax
	jnc .again
	cmp eax, edx
	setne al
	cmp al, 1
	jne .told
	mov eax, 0x5a5a5a5a
	rdrand ax
	shr eax, 16
	cmp ax, 0x5a5a
	jmp .told
.no_random:
	cmp eax, eax
.told:	told

	xor eax, eax
	cpuid
	cmp eax, 7
	jb .no_seed
	mov eax, 7
	xor ecx, ecx
	cpuid
	test ebx, 1 << 18
	jz .no_seed
	mov ecx, 1000000
.seed:	rdseed eax
	jc .seeded
	pause
	loop .seed
	or esp, esp
	jmp .seed_told
.seeded:
	cmp eax, eax
	jmp .seed_told
.no_seed:
	cmp eax, eax
.seed_told:
	told
	mov al, 10
	out 0xe9, al
	hlt

	align 8
gdt:	dq 0
	dq 0x00cf9b000000ffff		; 08: code
	dq 0x00cf93000000ffff		; 10: data
	dq 0x00cffb000000ffff		; 18: code of level 3
	dq 0x0000f30000001234		; 20: data of level 3
	dq 0x0000890000000067		; 28: a task state segment
	dq 0x00008c0000081000		; 30: a call gate
	dq 0x00008e0000081000		; 38: an interrupt gate
	dq 0x00cf99000000ffff		; 40: code, to be executed only
	dq 0x00cf91000000ffff		; 48: data, to be read only
	dq 0x00cf13000000ffff		; 50: data, not present
	dq 0x00cf9f000000ffff		; 58: conforming code
.end:
gdtr:	dw gdt.end - gdt - 1
	dd gdt
selector: dw 0x20
features: dd 0
number:	dd 0
mask_lar: dd lar_mask
mask_lsl: dd 0xffffffff
